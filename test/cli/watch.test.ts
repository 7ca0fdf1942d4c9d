import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { until } from "../support/deadline.js"
import { at } from "../support/json.js"
import { rpc } from "../support/rawHttp.js"
import { folders, type GatewayProcess, kruxos, start, startGateway } from "./kruxos.js"

const invoke = ({ ready }: GatewayProcess, capability: string, given: object) =>
  rpc({ rpc: ready.rpc, key: ready.api_key }, "capabilities.invoke", { capability, arguments: given })

const hostile = "\u001b[2J\u001b]0;title\u0007\u009b31m\r\nid  approved\u202egnp.exe\u2066\u2028\u007f"

const isSafe = (text: string) => [...text].every((character) => /[\x20-\x7e\n…]/.test(character))

describe("kruxos watch", () => {
  it.scopedLive(
    "prints what agents do as it happens, also over a restart of the gateway",
    () =>
      Effect.gen(function*() {
        const used = yield* folders
        const first = yield* startGateway([], used)
        yield* invoke(first, "filesystem.write", { path: "early.txt", content: "early" })
        const watch = (...args: ReadonlyArray<string>) => start(["watch", "--data", used.dataDirectory, ...args])
        const [text, json] = [
          yield* watch("--since", "1h"),
          yield* watch("--json", "--type", "capability_error,approval_requested")
        ]
        const printed = (part: string) =>
          until(part, Effect.sync(() => text.stdout().includes(part) && text.stdout().endsWith("\n")))
        yield* printed("early.txt")
        // The other says nothing that shows that it has begun.
        const events = () =>
          json.stdout().split("\n").filter((line) => line !== "").map((line): unknown => JSON.parse(line))
        yield* until(
          "the other to begin",
          Effect.zipRight(
            invoke(first, "filesystem.read", { path: "none" }),
            Effect.sync(() => events().length > 0)
          ),
          "15 seconds"
        )
        yield* invoke(first, "filesystem.write", { path: "late.txt", content: hostile })
        yield* invoke(first, "filesystem.delete", { path: "late.txt" })
        yield* printed("asks       apr-")
        assert.match(
          text.stdout(),
          /^\S+Z {2}agent {5}invokes {4}filesystem\.write \(notify\) \{"path":"late\.txt","content":.*\}$/m
        )
        assert.match(text.stdout(), /^\S+Z {2}agent {5}succeeds {3}filesystem\.write in \d+ ms$/m)
        assert.match(text.stdout(), /^\S+Z {2}agent {5}fails {6}filesystem\.read FileNotFound: .* \(\d+ ms\)$/m)
        assert.isTrue(isSafe(text.stdout()), JSON.stringify(text.stdout()))
        assert.lengthOf(text.stdout().match(/early\.txt/g) ?? [], 1)

        yield* first.kill("SIGKILL")
        yield* first.ended
        yield* until("the loss", Effect.sync(() => text.stderr() !== ""))
        const second = yield* startGateway([], used)
        for (const { stderr } of [text, json]) {
          yield* until(
            "the gateway again",
            Effect.sync(() => stderr().includes("The gateway was started anew")),
            "15 seconds"
          )
          assert.include(stderr(), "The gateway answers again")
        }
        yield* invoke(second, "filesystem.read", { path: "again" })
        yield* printed("{\"path\":\"again\"}")

        const last = () => events().at(-1)
        yield* until("the other to see it", Effect.sync(() => at(last(), "type") === "capability_error"), "15 seconds")
        for (const running of [text, json]) {
          yield* running.kill("SIGINT")
          assert.strictEqual((yield* running.ended).code, 0)
        }
        assert.sameMembers([...new Set(events().map((event) => at(event, "type")))], [
          "capability_error",
          "approval_requested"
        ])
        assert.isTrue(isSafe(json.stdout()))

        yield* second.kill("SIGTERM")
        yield* second.ended
        const none = yield* kruxos(["watch", "--data", used.dataDirectory])
        assert.deepStrictEqual([none.code, none.stdout], [1, ""])
        assert.include(none.stderr, "No gateway serves the data in")
      }),
    60_000
  )

  it.live("does not understand what it cannot show", () =>
    Effect.gen(function*() {
      const ended = yield* Effect.all([
        kruxos(["watch", "--type", "capability_error,capability_eror"]),
        kruxos(["watch", "--last", "-1"]),
        kruxos(["watch", "--since", "yesterday"])
      ], { concurrency: 2 })
      for (const { code, stdout } of ended) assert.deepStrictEqual([code, stdout], [2, ""])
      assert.include(ended[0].stderr, "not 'capability_eror'")
    }), 20_000)
})
