import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../src/local/supervision/SupervisionEvent.js"
import { maximumRows, noFeed, shown, withEvents, withLog } from "../../src/page/state/Feed.js"
import { makePairing } from "../../src/page/state/pairing.js"

const event = (type: string, at: number, data: SupervisionEvent["data"], agent = "agent"): SupervisionEvent => ({
  type,
  timestamp: DateTime.unsafeMake(at),
  agent,
  session_id: "ses-1",
  data
})

const started = (at: number, path: string) =>
  event("capability_invoked", at, { capability: "filesystem.read", arguments: { path } })

const ended = (at: number, duration_ms: number) =>
  event("capability_result", at, { capability: "filesystem.read", success: true, duration_ms })

const pathsOf = (events: ReadonlyArray<SupervisionEvent>) =>
  events.flatMap(({ data, type }) => type === "capability_result" ? [data["arguments"]] : [])

describe("the end of an invocation", () => {
  it("is told with the arguments of its start", () => {
    const pair = makePairing()
    const events = [started(1000, "a"), ended(1010, 10), started(1020, "b"), ended(1025, 5)].map(pair)
    assert.deepStrictEqual(pathsOf(events), [{ path: "a" }, { path: "b" }])
  })

  it("is told without where it could be that of another", () => {
    const two = makePairing()
    const overlapping = [started(1000, "a"), started(1001, "b"), ended(1010, 10), ended(1011, 10)]
    assert.deepStrictEqual(pathsOf(overlapping.map(two)), [undefined, undefined])
    const late = makePairing()
    assert.deepStrictEqual(pathsOf([started(1000, "a"), ended(1010, 500)].map(late)), [undefined])
  })
})

describe("the feed", () => {
  it("keeps a bounded number of rows, and counts all", () => {
    const events = Array.from({ length: 2500 }, (_, at) => started(at, String(at)))
    const feed = withEvents(withEvents(noFeed, events.slice(0, 2000)), events.slice(2000))
    assert.strictEqual(feed.received, 2500)
    assert.strictEqual(feed.live.length, maximumRows)
    assert.strictEqual(feed.live[0]?.event.data, events.at(-1)?.data)
  })

  it("shows once what the stream brought and the log has too", () => {
    const logged = (sequence: number, entry: SupervisionEvent) => ({ ...entry, sequence })
    const merged = event("capability_result", 3000, {
      capability: "filesystem.read",
      success: true,
      duration_ms: 7,
      arguments: { path: "c" }
    })
    const live = withEvents(noFeed, [started(3000, "c"), ended(3007, 7)])
    const feed = withLog(live, [logged(3, merged), logged(2, ended(2010, 10)), logged(1, started(2000, "b"))], 3)
    assert.deepStrictEqual(shown(feed).map(({ event }) => DateTime.toEpochMillis(event.timestamp)), [3007, 2010])
    const everything = { ...feed, filter: { agent: undefined, kind: "everything" as const } }
    assert.strictEqual(shown(everything).length, 4)
    assert.strictEqual(shown({ ...everything, filter: { agent: "other", kind: "everything" } }).length, 0)
  })
})
