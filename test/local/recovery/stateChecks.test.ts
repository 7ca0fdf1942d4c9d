import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { SharedState } from "../../../src/local/store/SharedState.js"
import { store } from "../capabilities/filesystem/workspaceSupport.js"
import { type Call, prepared } from "./support.js"

const at = 1

const own = { agent: "one", source: "session", at }

const others = { agent: "one", source: "another session", at }

type Change = Effect.Effect<unknown, { readonly message: string }, PersistentState | SharedState>

const persistent = <A, E>(use: (state: PersistentState["Type"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(PersistentState, use)

const shared = <A, E>(use: (state: SharedState["Type"]) => Effect.Effect<A, E>) => Effect.flatMap(SharedState, use)

const set = (author: typeof own, value = "1") => persistent((state) => state.set("k", value, author))
const remove = (author: typeof own) => persistent((state) => state.remove("one", "k", author))
const setShared = (author: typeof own, expected: number) => shared((state) => state.set("k", "1", expected, author))
const removeShared = (author: typeof own) => shared((state) => state.remove("k", author))
const nothing: Change = Effect.void

const toSet: Call = { name: "state.persistent.set", input: { key: "k", value: 1 } }
const toRemove: Call = { name: "state.persistent.delete", input: { key: "k" } }
const toShare: Call = { name: "state.shared.set", input: { key: "k", value: 1, expected_version: 1 } }
const toRemoveShared: Call = { name: "state.shared.delete", input: { key: "k" } }

const many = (change: Change, times: number): Change => Effect.repeatN(change, times - 1)

interface Case {
  readonly title: string
  readonly call: Call
  readonly first?: Change
  /** What happens between the look before and the look after. */
  readonly next: Change
  readonly found: { readonly _tag: string; readonly output?: unknown }
}

const notDone = { _tag: "NotDone" }
const done = (output: unknown) => ({ _tag: "Done", output })
const unknown = { _tag: "Unknown" }

const cases: ReadonlyArray<Case> = [
  { title: "nothing was written", call: toSet, next: nothing, found: notDone },
  { title: "nothing was written over what was there", call: toSet, first: set(others), next: nothing, found: notDone },
  {
    title: "a new key was written",
    call: toSet,
    next: set(own),
    found: done({ version: 1, previous_version: 0 })
  },
  {
    title: "an equal write of somebody else is not taken for it",
    call: toSet,
    first: set(others),
    next: many(set(others), 3),
    found: notDone
  },
  {
    title: "it was written, and then others wrote",
    call: toSet,
    first: set(others),
    next: Effect.zip(set(own), many(set(others), 99)),
    found: done({ version: 2, previous_version: 1 })
  },
  {
    title: "so much was written since that it would no longer be there",
    call: toSet,
    first: set(others),
    next: many(set(others), 101),
    found: unknown
  },
  {
    title: "it was written, and deleted by somebody else",
    call: toSet,
    next: Effect.zip(set(own), remove(others)),
    found: unknown
  },
  {
    title: "a deleted key was written again",
    call: toSet,
    first: Effect.zip(set(others), remove(others)),
    next: set(own),
    found: done({ version: 2, previous_version: 0 })
  },
  {
    title: "a deleted key was written by somebody else",
    call: toSet,
    first: Effect.zip(set(others), remove(others)),
    next: set(others),
    found: notDone
  },
  { title: "nothing was deleted", call: toRemove, first: set(others), next: nothing, found: notDone },
  { title: "it was deleted", call: toRemove, first: set(others), next: remove(own), found: done({ deleted: true }) },
  { title: "somebody else deleted it", call: toRemove, first: set(others), next: remove(others), found: unknown },
  {
    title: "somebody wrote in place of the deletion",
    call: toRemove,
    first: set(others),
    next: set(others),
    found: notDone
  },
  {
    title: "it was deleted, and somebody made it anew",
    call: toRemove,
    first: set(others),
    next: Effect.zip(remove(own), set(others)),
    found: unknown
  },
  { title: "there is nothing to delete", call: toRemove, next: nothing, found: notDone },
  { title: "nothing was shared", call: toShare, first: setShared(others, 0), next: nothing, found: notDone },
  {
    title: "it was shared",
    call: toShare,
    first: setShared(others, 0),
    next: Effect.zip(setShared(own, 1), setShared(others, 2)),
    found: done({ version: 2 })
  },
  {
    title: "somebody else was faster to share",
    call: toShare,
    first: setShared(others, 0),
    next: setShared(others, 1),
    found: notDone
  },
  {
    title: "what was shared was deleted",
    call: toRemoveShared,
    first: setShared(others, 0),
    next: removeShared(own),
    found: done({ deleted: true })
  },
  {
    title: "what was shared was not deleted",
    call: toRemoveShared,
    first: setShared(others, 0),
    next: nothing,
    found: notDone
  }
]

describe("what is found of a change of state after a crash", () => {
  for (const { call, first = nothing, found, next, title } of cases) {
    it.scoped(`${call.name}: ${title}`, () =>
      Effect.gen(function*() {
        const { after, before } = yield* prepared()
        yield* first
        const known = yield* before(call)
        yield* next
        const told = yield* after(call, JSON.parse(JSON.stringify(known)))
        assert.deepStrictEqual({ _tag: told._tag, ...(told._tag === "Done" ? { output: told.output } : {}) }, found)
      }).pipe(Effect.provide(store)))
  }
})
