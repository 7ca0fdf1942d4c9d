import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  type ApprovalExpired,
  type ApprovalRejected,
  ApprovalRequired,
  Approvals,
  type ApprovalsError,
  type ApprovalsService,
  type ApprovalTimeout,
  type CapabilitiesService,
  Capability,
  Catalogue,
  type InvokeError,
  type KruxosError,
  type ProtocolError
} from "kruxos"
import type { ApprovalOutcome } from "kruxos/schema"
import { describe, expect, test } from "tstyche"

declare const approvals: ApprovalsService

declare const capabilities: CapabilitiesService

declare const run: ApprovalRequired<"process.run">

declare const either: ApprovalRequired<"process.run"> | ApprovalRequired<"filesystem.stat">

const read = capabilities.invoke("filesystem.read", { path: "a" })

const remove = capabilities.invoke("filesystem.delete", { path: "a" })

type Read = Effect.Effect.Success<typeof read>

type Remove = Effect.Effect.Success<typeof remove>

type WithoutHandle<E> = Exclude<E, ApprovalRequired>

describe("awaitApproval", () => {
  test("takes ApprovalRequired out of the errors of an invocation, and nothing else", () => {
    const awaited = remove.pipe(Approvals.awaitApproval({ timeout: "10 minutes" }))
    expect(awaited).type.toBe<
      Effect.Effect<
        Remove,
        Exclude<InvokeError<"filesystem.delete">, ApprovalRequired<"filesystem.delete">>,
        Approvals
      >
    >()
    type Failure = Effect.Effect.Error<typeof awaited>
    expect<"ApprovalRequired">().type.not.toBeAssignableTo<Failure["_tag"]>()
    expect<ApprovalRejected | ApprovalExpired | ApprovalTimeout>().type.toBeAssignableTo<Failure>()
  })

  test("takes it out of those of any effect", () => {
    const both = Effect.all([read, remove]).pipe(Approvals.awaitApproval())
    expect(both).type.toBe<
      Effect.Effect<
        [Read, Remove],
        WithoutHandle<InvokeError<"filesystem.read"> | InvokeError<"filesystem.delete">>,
        Approvals
      >
    >()
    const program = Effect.gen(function*() {
      yield* read
      return yield* remove
    })
    expect(Approvals.awaitApproval()(program)).type.toBe<
      Effect.Effect<
        Remove,
        WithoutHandle<InvokeError<"filesystem.read"> | InvokeError<"filesystem.delete">>,
        Approvals
      >
    >()
    const dynamic = capabilities.invokeDynamic("pack.anything").pipe(Approvals.awaitApproval())
    expect(dynamic).type.toBe<Effect.Effect<unknown, WithoutHandle<KruxosError>, Approvals>>()
    const plain = Effect.succeed(1).pipe(Approvals.awaitApproval())
    expect(plain).type.toBe<Effect.Effect<number, never, Approvals>>()
  })

  test("takes it out of those of a stream", () => {
    const stream = Stream.fromEffect(remove).pipe(Approvals.awaitApproval({ abandon: "withdraw" }))
    expect(stream).type.toBe<Stream.Stream<Remove, WithoutHandle<InvokeError<"filesystem.delete">>, Approvals>>()
  })

  test("goes with errors that are not known yet", () => {
    const wrap = <E>(effect: Effect.Effect<string, E>) => effect.pipe(Approvals.awaitApproval())
    expect(wrap(Effect.succeed("a"))).type.toBe<Effect.Effect<string, never, Approvals>>()
  })

  test("of the service needs nothing of the context", () => {
    expect(remove.pipe(approvals.awaitApproval())).type.toBe<
      Effect.Effect<Remove, WithoutHandle<InvokeError<"filesystem.delete">>>
    >()
  })

  test("takes effects, streams and sensible options only", () => {
    expect(Approvals.awaitApproval()).type.not.toBeCallableWith("an effect")
    expect(Approvals.awaitApproval).type.not.toBeCallableWith({ abandon: "reject" })
    expect(Approvals.awaitApproval).type.toBeCallableWith({ timeout: undefined, schedule: undefined })
  })
})

describe("failFast", () => {
  test("changes neither what succeeds nor what fails", () => {
    expect(Approvals.failFast(remove)).type.toBe<
      Effect.Effect<Remove, InvokeError<"filesystem.delete">, Approvals>
    >()
    expect(Stream.fromEffect(remove).pipe(Approvals.failFast)).type.toBe<
      Stream.Stream<Remove, InvokeError<"filesystem.delete">, Approvals>
    >()
    expect(approvals.failFast(remove)).type.toBe<Effect.Effect<Remove, InvokeError<"filesystem.delete">>>()
  })
})

describe("wait", () => {
  const waited = approvals.wait(run, { timeout: "5 minutes" })

  test("types the data by the handle", () => {
    type Outcome = Effect.Effect.Success<typeof waited>
    expect<Extract<Outcome, { status: "approved" }>["data"]["stdout"]>().type.toBe<string>()
    expect<Extract<Outcome, { approved: false }>["reason"]>().type.toBe<string | undefined>()
    const byEither = approvals.wait(either)
    type Either = Extract<Effect.Effect.Success<typeof byEither>, { status: "approved" }>["data"]
    expect<Extract<Either, { exists: boolean }>["modified"]>().type.toBe<DateTime.Utc | undefined>()
  })

  test("fails as the invocation does, once it is approved", () => {
    expect<Effect.Effect.Error<typeof waited>>().type.toBe<
      Exclude<InvokeError<"process.run">, ApprovalRequired | ApprovalRejected | ApprovalExpired>
    >()
  })

  test("gives unknown data for an id, and for a handle of any capability", () => {
    expect<Effect.Effect.Success<ReturnType<typeof byId>>>().type.toBe<ApprovalOutcome>()
    const byId = () => approvals.wait("apr-1")
    expect<Effect.Effect.Error<ReturnType<typeof byId>>>().type.toBe<
      Exclude<KruxosError, ApprovalRequired | ApprovalRejected | ApprovalExpired>
    >()
    const untyped = approvals.wait(new ApprovalRequired({ message: "wait", approvalId: "apr-1" }))
    expect<Effect.Effect.Success<typeof untyped>>().type.toBe<ApprovalOutcome>()
  })

  test("follows from the handle of a failed invocation", () => {
    const followed = remove.pipe(Effect.catchTag("ApprovalRequired", (handle) => approvals.wait(handle)))
    type Data = Extract<Effect.Effect.Success<typeof followed>, { status: "approved" }>["data"]
    expect<Data>().type.toBe<Remove>()
  })
})

describe("check, list and withdraw", () => {
  test("tell of a request", () => {
    const checked = approvals.check(run)
    type Result = NonNullable<Effect.Effect.Success<typeof checked>["result"]>
    expect<Either.Either.Right<Result>["exit_code"]>().type.toBe<number | null>()
    expect<Either.Either.Left<Result>>().type.toBe<
      Exclude<InvokeError<"process.run">, ApprovalRequired | ApprovalRejected | ApprovalExpired>
    >()
    expect<Effect.Effect.Error<typeof checked>>().type.toBe<ApprovalsError>()
    expect<ProtocolError>().type.toBeAssignableTo<ApprovalsError>()
    expect(approvals.check).type.toBeCallableWith("apr-1")
    expect(approvals.list).type.toBeCallableWith({ status: "pending" })
    expect(approvals.list).type.not.toBeCallableWith({ status: "lost" })
    expect(approvals.withdraw).type.toBeCallableWith(run)
    expect(approvals.withdraw).type.not.toBeCallableWith(1)
  })
})

test("a stored handle of one capability knows its data", () => {
  expect<Schema.Schema.Type<ReturnType<typeof stored>>>().type.toBe<ApprovalRequired<"process.run">>()
  const stored = () => ApprovalRequired.ofCapability("process.run")
})

test("the capabilities of another catalogue have typed handles too", () => {
  const mine = Catalogue.make(
    Capability.make("pack.count", { tier: "autonomous", tags: [], inputs: {}, outputs: {}, errors: {} })
  )
  const all = approvals.withCatalogue(mine)
  const handle = new ApprovalRequired<"pack.count">({ message: "wait", approvalId: "apr-1" })
  const counted = all.wait(handle)
  expect<Extract<Effect.Effect.Success<typeof counted>, { status: "approved" }>["data"]>().type.toBe<{}>()
  const known = all.wait(run)
  expect<Extract<Effect.Effect.Success<typeof known>, { status: "approved" }>["data"]["stdout"]>().type.toBe<string>()
})
