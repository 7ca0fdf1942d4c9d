import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  type ApprovalRequired,
  Approvals,
  type ChangesError,
  type InvokeError,
  type KeyNotFound,
  type OutputMismatch,
  type QuotaExceeded,
  type State,
  type StateError,
  type StateService,
  type SubscriptionFailed,
  type UpdateError,
  type UpdateExhausted,
  type VersionConflict
} from "kruxos"
import type { PersistentEntry, PersistentKey, SharedEntry, SharedKey, StateChange, StateEntry } from "kruxos/schema"
import { describe, expect, test } from "tstyche"

declare const state: StateService

class Clock {
  declare readonly clock: "clock"
}

const Task = Schema.Struct({ step: Schema.Number, due: Schema.DateTimeUtc })

interface Task {
  readonly step: number
  readonly due: DateTime.Utc
}

declare const task: Task

declare const Zoned: Schema.Schema<Task, string, Clock>

test("State is a Tag of the service", () => {
  expect<Effect.Effect.Success<typeof State>>().type.toBe<StateService>()
})

describe("get", () => {
  test("without a schema gives unknown values", () => {
    expect(state.session.get("k")).type.toBe<
      Effect.Effect<Option.Option<StateEntry>, StateError<"state.session.get">>
    >()
    expect(state.persistent.get("k")).type.toBe<
      Effect.Effect<Option.Option<PersistentEntry>, StateError<"state.persistent.get">>
    >()
    expect(state.persistent.get("k", { version: 1 })).type.toBe<
      Effect.Effect<Option.Option<PersistentEntry>, StateError<"state.persistent.get">>
    >()
    expect(state.persistent.get("k", undefined, { version: 1 })).type.toBe<
      Effect.Effect<Option.Option<PersistentEntry>, StateError<"state.persistent.get">>
    >()
    expect(state.shared.get("k")).type.toBe<
      Effect.Effect<Option.Option<SharedEntry>, StateError<"state.shared.get">>
    >()
  })

  test("with a schema gives its type, and needs what it needs", () => {
    expect(state.session.get("k", Task)).type.toBe<
      Effect.Effect<Option.Option<StateEntry<Task>>, StateError<"state.session.get">>
    >()
    expect(state.persistent.get("k", Task, { version: 1, timeout: "5 seconds" })).type.toBe<
      Effect.Effect<Option.Option<PersistentEntry<Task>>, StateError<"state.persistent.get">>
    >()
    expect(state.shared.get("k", Zoned)).type.toBe<
      Effect.Effect<Option.Option<SharedEntry<Task>>, StateError<"state.shared.get">, Clock>
    >()
  })

  test("has versions where there are some", () => {
    expect(state.session.get).type.not.toBeCallableWith("k", { version: 1 })
    expect(state.shared.get).type.not.toBeCallableWith("k", Task, { version: 1 })
  })

  test("does not fail with KeyNotFound, but with everything else that its capability does", () => {
    type Failure = StateError<"state.persistent.get">
    expect<KeyNotFound>().type.not.toBeAssignableTo<Failure>()
    expect<OutputMismatch | ApprovalRequired<"state.persistent.get">>().type.toBeAssignableTo<Failure>()
    expect<Failure | KeyNotFound>().type.toBe<InvokeError<"state.persistent.get">>()
  })
})

describe("set", () => {
  test("takes any value without a schema", () => {
    expect(state.session.set("k", { a: [1] })).type.toBe<
      Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">>
    >()
    expect(state.persistent.set("k", task)).type.toBe<
      Effect.Effect<
        { readonly version: number; readonly previousVersion: number },
        StateError<"state.persistent.set">
      >
    >()
    expect<QuotaExceeded>().type.toBeAssignableTo<StateError<"state.persistent.set">>()
    expect(state.session.set).type.toBeCallableWith("k", null, { idempotencyKey: "once" })
    expect(state.session.set<unknown>).type.toBeCallableWith("k", JSON.parse("1"))
  })

  test("takes what the schema says, with it", () => {
    expect(state.session.set("k", Zoned, task)).type.toBe<
      Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">, Clock>
    >()
    expect(state.session.set).type.not.toBeCallableWith("k", Task, { step: "3", due: task.due })
    expect(state.session.set).type.not.toBeCallableWith("k", Schema.String, 1)
    expect(state.session.set).type.not.toBeCallableWith("k", Task)
    expect(state.persistent.set).type.not.toBeCallableWith("k", Schema.Struct({ timeout: Schema.String }), {
      timeout: 1
    })
  })

  test("of the shared state needs the expected version", () => {
    expect(state.shared.set("k", 1, { expectedVersion: 0 })).type.toBe<
      Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">>
    >()
    expect(state.shared.set("k", Task, task, { expectedVersion: 0, timeout: "1 second" })).type.toBe<
      Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">>
    >()
    expect(state.shared.set).type.not.toBeCallableWith("k", 1)
    expect(state.shared.set).type.not.toBeCallableWith("k", 1, {})
    expect(state.shared.set).type.not.toBeCallableWith("k", Task, task)
    expect(state.shared.set).type.not.toBeCallableWith("k", Task, task, { timeout: "1 second" })
    expect<VersionConflict>().type.toBeAssignableTo<StateError<"state.shared.set">>()
  })
})

test("the other operations", () => {
  expect(state.session.delete("k")).type.toBe<Effect.Effect<boolean, StateError<"state.session.delete">>>()
  expect(state.session.list("task.")).type.toBe<
    Effect.Effect<ReadonlyArray<string>, StateError<"state.session.list">>
  >()
  expect(state.session.clear()).type.toBe<Effect.Effect<number, StateError<"state.session.clear">>>()
  expect(state.persistent.list()).type.toBe<
    Effect.Effect<ReadonlyArray<PersistentKey>, StateError<"state.persistent.list">>
  >()
  expect(state.shared.list("a")).type.toBe<
    Effect.Effect<ReadonlyArray<SharedKey>, StateError<"state.shared.list">>
  >()
  expect(state.persistent.query("a", Task)).type.toBe<
    Effect.Effect<ReadonlyArray<PersistentEntry<Task>>, StateError<"state.persistent.query">>
  >()
  expect(state.persistent.query("a")).type.toBe<
    Effect.Effect<ReadonlyArray<PersistentEntry>, StateError<"state.persistent.query">>
  >()
  expect(state.persistent.history("a", { limit: 5 })).type.toBe<
    Effect.Effect<ReadonlyArray<PersistentEntry>, InvokeError<"state.persistent.history">>
  >()
  expect(state.persistent.history("a", Task)).type.toBe<
    Effect.Effect<ReadonlyArray<PersistentEntry<Task>>, InvokeError<"state.persistent.history">>
  >()
  expect<KeyNotFound>().type.toBeAssignableTo<InvokeError<"state.persistent.history">>()
})

test("a checkpoint has the type of its schema", () => {
  const checkpoint = state.persistent.checkpoint("k", Task, { initial: task })
  type Checkpoint = Effect.Effect.Success<typeof checkpoint>
  expect<Checkpoint["start"]>().type.toBe<Task>()
  expect<Effect.Effect.Error<typeof checkpoint>>().type.toBe<StateError<"state.persistent.get">>()
  expect<Effect.Effect.Error<ReturnType<Checkpoint["save"]>>>().type.toBe<StateError<"state.persistent.set">>()
  expect(state.persistent.checkpoint).type.not.toBeCallableWith("k", Task, { initial: { step: 1 } })
  expect(state.persistent.checkpoint).type.not.toBeCallableWith("k", Task)
})

describe("update", () => {
  const updated = state.shared.update("k", Task, (value) => ({ ...value, step: value.step + 1 }))

  test("has the errors of reading and writing, and one of its own in place of the conflict", () => {
    expect<Effect.Effect.Success<typeof updated>["value"]>().type.toBe<Task>()
    expect<Effect.Effect.Error<typeof updated>>().type.toBe<UpdateError | KeyNotFound>()
    expect<UpdateExhausted>().type.toBeAssignableTo<UpdateError>()
    expect<VersionConflict>().type.not.toBeAssignableTo<UpdateError>()
  })

  test("cannot find the key missing where there is an initial value", () => {
    const counted = state.shared.update("k", Schema.Number, (n) => n + 1, { initial: 0, times: 3 })
    expect<Effect.Effect.Error<typeof counted>>().type.toBe<UpdateError>()
    expect<KeyNotFound>().type.not.toBeAssignableTo<UpdateError>()
  })

  test("takes the schema's type alone", () => {
    expect(state.shared.update).type.not.toBeCallableWith("k", Schema.Number, (n: number) => String(n))
    expect(state.shared.update).type.not.toBeCallableWith("k", Schema.Number, (n: number) => n, { initial: "0" })
    const Light = Schema.Literal("red", "green")
    expect(state.shared.update).type.toBeCallableWith("k", Light, () => "green" as const)
  })

  test("of an effect adds its errors and what it needs", () => {
    const effect = state.shared.updateEffect(
      "k",
      Zoned,
      (value) =>
        Effect.filterOrFail(
          Effect.as(Effect.context<"needed">(), value),
          ({ step }) => step > 0,
          () => "too low" as const
        )
    )
    expect<Effect.Effect.Error<typeof effect>>().type.toBe<UpdateError | KeyNotFound | "too low">()
    expect<Effect.Effect.Context<typeof effect>>().type.toBe<Clock | "needed">()
  })

  test("needs no approval inside awaitApproval", () => {
    const awaited = updated.pipe(Approvals.awaitApproval())
    expect<"ApprovalRequired">().type.not.toBeAssignableTo<Effect.Effect.Error<typeof awaited>["_tag"]>()
  })
})

describe("changes", () => {
  test("are a stream of values as the schema has them", () => {
    expect(state.shared.changes("config.")).type.toBe<Stream.Stream<StateChange, ChangesError>>()
    expect(state.shared.changes()).type.toBe<Stream.Stream<StateChange, ChangesError>>()
    expect(state.shared.changes("config.", { current: true })).type.toBe<Stream.Stream<StateChange, ChangesError>>()
    expect(state.shared.changes("config.", Zoned, { pollInterval: "1 second" })).type.toBe<
      Stream.Stream<StateChange<Task>, ChangesError, Clock>
    >()
    expect<SubscriptionFailed | OutputMismatch>().type.toBeAssignableTo<ChangesError>()
    expect<KeyNotFound>().type.not.toBeAssignableTo<ChangesError>()
  })

  test("have a value, or none", () => {
    type Change = StateChange<Task>
    expect<Extract<Change, { _tag: "Changed" }>["value"]>().type.toBe<Option.Option<Task>>()
    expect<Extract<Change, { _tag: "Resynced" }>["entries"]>().type.toBe<ReadonlyArray<SharedEntry<Task>>>()
    expect(Stream.take(state.shared.changes("a", Task), 1)).type.toBe<Stream.Stream<Change, ChangesError>>()
  })
})
