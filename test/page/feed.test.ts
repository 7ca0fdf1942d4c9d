import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../src/local/supervision/SupervisionEvent.js"
import { maximumRows, noFeed, shown, withEvents, withLog } from "../../src/page/state/Feed.js"
import { grouped, type Item, stepsOf } from "../../src/page/state/groups.js"
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

const inside = (transaction_id: string, event: SupervisionEvent, more: SupervisionEvent["data"] = {}) => ({
  ...event,
  data: { ...event.data, transaction_id, ...more }
})

const began = (at: number, id: string, more: SupervisionEvent["data"] = {}) =>
  inside(id, event("transaction_started", at, more))

const over = (at: number, id: string, more: SupervisionEvent["data"] = {}) =>
  inside(id, event("transaction_ended", at, { outcome: "committed", reason: "request", ...more }))

const itemsOf = (events: ReadonlyArray<SupervisionEvent>): ReadonlyArray<Item> =>
  grouped(shown({ ...withEvents(noFeed, events), filter: { agent: undefined, kind: "everything" } }))

const timesOf = (item: Item | undefined): ReadonlyArray<number> =>
  item === undefined ? [] : (item._tag === "Row" ? [item.row] : item.group.rows)
    .map(({ event }) => DateTime.toEpochMillis(event.timestamp))

describe("a transaction in the feed", () => {
  it("is one with its steps, and stands where the newest of it is", () => {
    const events = [
      began(1000, "txn-a"),
      inside("txn-a", started(1001, "a")),
      ended(1002, 1),
      began(1003, "txn-b"),
      inside("txn-a", ended(1004, 3)),
      inside("txn-b", ended(1005, 1))
    ]
    const [b, a, plain, ...more] = itemsOf(events)
    assert.deepStrictEqual(more, [])
    assert.deepStrictEqual([b, a, plain].map(timesOf), [[1005], [1001, 1004], [1002]])
    assert.isTrue(a?._tag === "Transaction" && a.group.end === undefined && stepsOf(a.group) === 1)
    const [first, second] = itemsOf([...events, over(1006, "txn-a", { steps: 7 })])
    assert.isTrue(first?._tag === "Transaction" && first.group.id === "txn-a" && stepsOf(first.group) === 7)
    assert.isTrue(second?._tag === "Transaction" && second.group.id === "txn-b")
  })

  it("has its savepoints and their steps in it, whether or not its own start is known", () => {
    const nested = { root_transaction_id: "txn-a" }
    const events = [
      began(1001, "txn-b", { parent: "txn-a", ...nested }),
      inside("txn-b", ended(1002, 1), nested),
      over(1003, "txn-b", { parent: "txn-a", ...nested }),
      over(1004, "txn-a")
    ]
    const items = itemsOf(events)
    assert.strictEqual(items.length, 1)
    const [only] = items
    assert.deepStrictEqual(timesOf(only), [1001, 1002, 1003])
    assert.isTrue(only?._tag === "Transaction" && only.group.start === undefined && only.group.end !== undefined)
  })

  it("is not joined by an agent that names the transaction of another", () => {
    const foreign = { ...inside("txn-a", ended(1001, 1)), agent: "other" }
    assert.strictEqual(itemsOf([began(1000, "txn-a"), foreign]).length, 2)
  })

  it("is shown once where the stream and the log have it, also where two begin at the same time", () => {
    const events = [began(1000, "txn-a"), began(1000, "txn-b")]
    const feed = withLog(
      withEvents(noFeed, events.slice(0, 1)),
      events.map((entry, index) => ({ ...entry, sequence: index + 1 })).reverse(),
      2
    )
    assert.strictEqual(shown(feed).length, 2)
    assert.strictEqual(grouped(shown(feed)).length, 2)
  })
})

describe("the end of an invocation in a transaction", () => {
  it("is not told with the arguments of one outside", () => {
    const pair = makePairing()
    const events = [started(1000, "outside"), inside("txn-a", started(1000, "inside")), inside("txn-a", ended(1005, 5))]
    assert.deepStrictEqual(pathsOf(events.map(pair)), [{ path: "inside" }])
  })
})
