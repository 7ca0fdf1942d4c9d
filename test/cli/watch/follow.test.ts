import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { failed } from "../../../src/cli/exit.js"
import type { Filter } from "../../../src/cli/supervisor/eventFeed.js"
import { follow } from "../../../src/cli/watch/follow.js"
import { until } from "../../support/deadline.js"
import { type Answer, answer, scripted } from "./scriptedSupervisor.js"

const stream = ({ response }: Answer, newest: string | undefined, text: string) => {
  response.writeHead(200, {
    "content-type": "text/event-stream",
    ...(newest === undefined ? {} : { "x-kruxos-newest-event": newest })
  })
  response.write(`retry: 1000\n\n: newest ${newest}\n\n${text}`)
}

const following = (filter: Filter = {}, silence?: string) =>
  Effect.gen(function*() {
    const gateway = yield* scripted
    const told: Array<string> = []
    const tell = (text: string) => Effect.sync(() => void told.push(text))
    const fiber = yield* Effect.forkScoped(Effect.flip(follow(
      Effect.succeed({ api: gateway.api, token: Redacted.make("krx_user_x") }),
      filter,
      {
        onBegin: () => tell("begin"),
        onEvent: ({ data, id, type }) => tell(`${type} ${id} ${data}`),
        onNotice: (text) => tell(`notice ${text}`)
      },
      silence === undefined ? undefined : "200 millis"
    )))
    const nth = (number: number) =>
      Effect.as(until(`request ${number}`, Effect.sync(() => gateway.asked.length >= number)), number).pipe(
        Effect.flatMap(() => Effect.fromNullable(gateway.asked[number - 1])),
        Effect.orDie
      )
    const toldOf = (text: string) => until(text, Effect.sync(() => told.some((said) => said.includes(text))))
    return { ...gateway, fiber, told, nth, toldOf }
  })

describe("following what happens", () => {
  it.scopedLive("goes on behind the last event after a loss, and says so once", () =>
    Effect.gen(function*() {
      const { api, nth, told, toldOf } = yield* following({ agent: "a b", types: ["x", "y"], session: "s" })
      const first = yield* nth(1)
      assert.strictEqual(first.request.url, "/api/events?agent=a+b&type=x%2Cy&session=s")
      assert.strictEqual(first.request.headers.authorization, "Bearer krx_user_x")
      assert.isUndefined(first.request.headers["last-event-id"])
      stream(first, "g-7", "id: g-8\nevent: x\ndata: {\n\nid: g-9\nevent: y\ndata: 2\n\nid: g-10\nevent: cut")
      yield* toldOf("y g-9 2")
      first.response.destroy()
      for (const number of [2, 3]) {
        const again = yield* nth(number)
        assert.strictEqual(again.request.headers["last-event-id"], "g-9")
        answer(again, 503, { error: "It is shutting down" })
      }
      const last = yield* nth(4)
      assert.strictEqual(last.request.headers["last-event-id"], "g-9")
      stream(last, "g-10", "id: g-10\nevent: x\ndata: 3\n\n: still here\nid: g-300\n\n")
      yield* toldOf("x g-10 3")
      // Where nothing of what is asked for happens, the gateway says how far it has come.
      yield* Effect.sleep("20 millis")
      last.response.destroy()
      assert.strictEqual((yield* nth(5)).request.headers["last-event-id"], "g-300")
      const [lost, ...rest] = told.filter((said) => said.startsWith("notice")).slice(0, 2)
      assert.include(lost ?? "", `The gateway at ${api} is lost`)
      assert.deepStrictEqual(rest, ["notice The gateway answers again"])
      assert.deepStrictEqual(told.filter((said) => !said.startsWith("notice")), [
        "begin",
        "x g-8 {",
        "y g-9 2",
        "x g-10 3"
      ])
    }))

  it.scopedLive("begins anew where the gateway no longer has what came behind, and says how much is missing", () =>
    Effect.gen(function*() {
      const { nth, told, toldOf } = yield* following()
      const first = yield* nth(1)
      stream(first, "g-7", "")
      yield* toldOf("begin")
      first.response.destroy()
      // Also before the first event: from where the feed began.
      const second = yield* nth(2)
      assert.strictEqual(second.request.headers["last-event-id"], "g-7")
      answer(second, 410, { error: "gone", newest: "g-20000" })
      const third = yield* nth(3)
      assert.isUndefined(third.request.headers["last-event-id"])
      stream(third, "g-20001", "event: events_lost\ndata: {\"type\":\"events_lost\",\"data\":{\"count\":4}}\n\n")
      yield* toldOf("19993 events were missed")
      yield* toldOf("4 events were missed")
      third.response.end()
      const fourth = yield* nth(4)
      assert.strictEqual(fourth.request.headers["last-event-id"], "g-20001")
      answer(fourth, 410, { error: "gone", newest: "h-1" })
      stream(yield* nth(5), "h-1", "")
      yield* toldOf("The gateway was started anew")
      assert.strictEqual(told.filter((said) => said === "begin").length, 1)
      assert.strictEqual(told.filter((said) => said === "notice The gateway answers again").length, 2)
    }))

  it.scopedLive("takes silence for a loss, and says where nobody knows what was missed", () =>
    Effect.gen(function*() {
      const { nth, toldOf } = yield* following({}, "short")
      stream(yield* nth(1), undefined, "")
      yield* toldOf("fallen silent")
      stream(yield* nth(2), undefined, "")
      yield* toldOf("What happened meanwhile is not shown")
    }))

  it.scopedLive("fails where the gateway is not there, or is another, at the beginning", () =>
    Effect.gen(function*() {
      const answers: ReadonlyArray<readonly [string, (asked: Answer) => void]> = [
        ["No website", (asked) => answer(asked, 403, { error: "No website" })],
        ["answered with status 500", ({ response }) => response.writeHead(500).end("<html>")],
        ["is not understood", ({ response }) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
        ["does not answer", ({ response }) => response.destroy()]
      ]
      for (const [expected, give] of answers) {
        const { fiber, nth, told } = yield* following()
        give(yield* nth(1))
        const failure = yield* fiber
        assert.include(failure.message, expected)
        assert.deepStrictEqual(told, [])
      }
      const nowhere = yield* Effect.flip(follow(Effect.fail(failed("nowhere")), {}, {
        onBegin: () => Effect.void,
        onEvent: () => Effect.void,
        onNotice: () => Effect.void
      }))
      assert.strictEqual(nowhere.message, "nowhere")
    }))
})
