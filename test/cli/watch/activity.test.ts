import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Filter } from "../../../src/cli/supervisor/eventFeed.js"
import { latest } from "../../../src/cli/watch/activity.js"
import { within } from "../../support/deadline.js"
import { scripted } from "./scriptedSupervisor.js"

const hour = 3_600_000

const start = Date.UTC(2026, 0, 1)

/** A gateway with so much activity, one thing an hour, in two sessions; while it is read, more is added. */
const gateway = (total: number, addedPerRequest = 0) =>
  Effect.gen(function*() {
    const { api, asked } = yield* scripted
    const urls: Array<string> = []
    let size = total
    const serve = Effect.sync(() => {
      for (const { request, response } of asked.slice(urls.length)) {
        const url = new URL(request.url ?? "", "http://gateway")
        urls.push(`${url.pathname}${url.search}`)
        const [offset, limit] = [Number(url.searchParams.get("offset")), Number(url.searchParams.get("limit"))]
        const activity = Array.from({ length: Math.max(0, Math.min(limit, size - offset)) }, (_, index) => {
          const sequence = size - offset - index
          return {
            sequence,
            type: "agent_paused",
            timestamp: new Date(start + sequence * hour).toISOString(),
            agent: "a",
            session_id: `s${sequence % 2}`,
            data: {}
          }
        })
        size += addedPerRequest
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ activity, total: size }))
      }
    })
    yield* Effect.forkScoped(Effect.forever(Effect.delay(serve, "2 millis")))
    const numbers = (filter: Filter, count: number, since?: DateTime.Utc) =>
      latest({ api, token: Redacted.make("t") }, filter, { count, since }).pipe(
        Effect.map((found) => found.map(({ sequence }) => sequence)),
        within("the activity")
      )
    return { numbers, urls }
  })

describe("what happened before", () => {
  it.scopedLive("is the last of it, in order", () =>
    Effect.gen(function*() {
      const { numbers, urls } = yield* gateway(20)
      assert.deepStrictEqual(yield* numbers({ agent: "a", types: ["x", "y"] }, 3), [18, 19, 20])
      assert.deepStrictEqual(urls, ["/api/activity?agent=a&type=x%2Cy&limit=3&offset=0"])
      assert.lengthOf(yield* numbers({}, 1000), 20)
      assert.deepStrictEqual(yield* numbers({}, 5, DateTime.unsafeMake(start + 18.5 * hour)), [19, 20])
    }))

  it.scopedLive("is looked for further back where most of it is of other sessions, and nothing comes twice", () =>
    Effect.gen(function*() {
      const { numbers, urls } = yield* gateway(3000, 7)
      const found = yield* numbers({ session: "s1" }, 800)
      assert.lengthOf(urls, 2)
      assert.lengthOf(found, 800)
      assert.deepStrictEqual(found, [...new Set(found)].sort((one, other) => one - other))
      assert.isTrue(found.every((number) => number % 2 === 1))
      assert.strictEqual(found.at(-1), 2999)
    }))
})
