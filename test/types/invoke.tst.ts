import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import {
  type ApprovalExpired,
  type ApprovalRejected,
  ApprovalRequired,
  Approvals,
  type ApprovalTimeout,
  type AuthenticationFailed,
  type Capabilities,
  type CapabilitiesService,
  Capability,
  type CapabilityError,
  Catalogue,
  type ConnectionFailed,
  type DiskFull,
  type EncodingError,
  type FileNotFound,
  type GatewayError,
  type GatewayTimeout,
  type InvalidInput,
  type InvocationEvent,
  type InvokeError,
  isCapabilityError,
  isGatewayError,
  type KruxosError,
  type NotReversible,
  type OutcomeUnknown,
  type OutputMismatch,
  type ParentNotFound,
  type PathOutOfScope,
  type PermissionDenied,
  type PolicyDenied,
  type ProtocolError,
  type RateLimited,
  type ResourceExhausted,
  type ServiceUnavailable,
  type SessionExpired,
  type SessionPaused,
  type TransactionClosed
} from "kruxos"
import type { Outcome } from "kruxos/schema"
import { describe, expect, test } from "tstyche"

declare const capabilities: CapabilitiesService

const { describe: describeCapability, invoke, invokeDynamic, invokeResult } = capabilities

const path = "/workspace/notes.txt"

type GeneralErrors<Name extends string> =
  | PolicyDenied
  | ApprovalRequired<Name>
  | ApprovalRejected
  | ApprovalExpired
  | ApprovalTimeout
  | NotReversible
  | TransactionClosed
  | InvalidInput
  | PermissionDenied
  | ResourceExhausted
  | RateLimited
  | ServiceUnavailable
  | SessionPaused
  | OutputMismatch
  | CapabilityError

type ConnectionErrors =
  | ConnectionFailed
  | AuthenticationFailed
  | SessionExpired
  | GatewayTimeout
  | OutcomeUnknown
  | ProtocolError

describe("names", () => {
  test("are those of the catalogue", () => {
    expect(invoke).type.toBeCallableWith("filesystem.read", { path })
    expect(invoke).type.not.toBeCallableWith("filesystem.reed", { path })
    expect(invoke).type.not.toBeCallableWith("filesystem__read", { path })
    expect<"filesystem.read" | "system.time">().type.toBeAssignableTo<Parameters<typeof invoke>[0]>()
    expect<string>().type.not.toBeAssignableTo<Parameters<typeof invoke>[0]>()
  })

  test("are any where nothing depends on them", () => {
    expect(describeCapability).type.toBeCallableWith("pack.anything")
    expect(invokeDynamic).type.toBeCallableWith("pack.anything")
  })
})

describe("input", () => {
  test("may be left out where nothing is required", () => {
    expect(invoke).type.toBeCallableWith("system.time")
    expect(invoke).type.toBeCallableWith("system.time", {})
    expect(invoke).type.toBeCallableWith("system.time", { timezone: "Asia/Tokyo" })
    expect(invoke).type.toBeCallableWith("system.time", undefined, { timeout: "1 second" })
    expect(invoke).type.not.toBeCallableWith("filesystem.read")
    expect(invoke).type.not.toBeCallableWith("filesystem.read", {})
    expect(invoke).type.not.toBeCallableWith("filesystem.read", undefined)
  })

  test("has the fields of the capability, and no others", () => {
    expect(invoke).type.toBeCallableWith("filesystem.read", { path, offset: 1, encoding: undefined })
    expect(invoke).type.not.toBeCallableWith("filesystem.read", { path: 7 })
    expect(invoke).type.not.toBeCallableWith("filesystem.read", { path, ofset: 1 })
    expect(invoke).type.not.toBeCallableWith("filesystem.list", { path, sort_by: "colour" })
    expect(invoke).type.toBeCallableWith("filesystem.list", { path, sort_by: "-size" })
  })

  test("is checked for results as well", () => {
    expect(invokeResult).type.toBeCallableWith("filesystem.stat", { path })
    expect(invokeResult).type.not.toBeCallableWith("filesystem.stat", {})
  })
})

describe("output", () => {
  test("is inferred", () => {
    const read = invoke("filesystem.read", { path })
    type Read = Effect.Effect.Success<typeof read>
    expect<Pick<Read, keyof Read>>().type.toBeAssignableTo<{
      readonly content: string
      readonly size: number
      readonly size_bytes: number
      readonly modified?: DateTime.Utc | undefined
      readonly modified_at?: DateTime.Utc | undefined
      readonly checksum?: string | undefined
      readonly truncated?: boolean | undefined
      readonly encoding?: string | undefined
    }>()
    expect<Read["content"]>().type.toBe<string>()
    expect<Read["modified"]>().type.toBe<DateTime.Utc | undefined>()
    expect<Read>().type.not.toHaveProperty("lines")
  })

  test("keeps enumerations open", () => {
    const stat = invoke("filesystem.stat", { path })
    type Stat = Effect.Effect.Success<typeof stat>
    expect<"symlink">().type.toBeAssignableTo<NonNullable<Stat["type"]>>()
    expect<string>().type.toBeAssignableTo<NonNullable<Stat["type"]>>()
  })

  test("of an invocation by any name is unknown, or what the schema says", () => {
    expect(invokeDynamic("pack.anything")).type.toBe<Effect.Effect<unknown, KruxosError>>()
    expect(invokeDynamic("filesystem.read", { path })).type.toBe<Effect.Effect<unknown, KruxosError>>()
    const output = Schema.Struct({ at: Schema.DateTimeUtc })
    expect(invokeDynamic("pack.anything", {}, { output })).type.toBe<
      Effect.Effect<{ readonly at: DateTime.Utc }, KruxosError>
    >()
  })

  test("of a result is there when it succeeded, and the error when not", () => {
    const result = invokeResult("filesystem.stat", { path })
    expect<Effect.Effect.Error<typeof result>>().type.toBe<ConnectionErrors>()
    type Result = Effect.Effect.Success<typeof result>
    expect<Extract<Result, { success: true }>["data"]["exists"]>().type.toBe<boolean>()
    expect<Extract<Result, { success: false }>["error"]["type"]>().type.toBe<string>()
  })
})

describe("errors", () => {
  test("are those of the capability, the general ones and those of the connection", () => {
    expect<InvokeError<"filesystem.read">>().type.toBe<
      PathOutOfScope | FileNotFound | EncodingError | GeneralErrors<"filesystem.read"> | ConnectionErrors
    >()
    expect<InvokeError<"filesystem.write">>().type.toBe<
      PathOutOfScope | ParentNotFound | DiskFull | GeneralErrors<"filesystem.write"> | ConnectionErrors
    >()
    const read = invoke("filesystem.read", { path })
    expect<Effect.Effect.Error<typeof read>>().type.toBe<InvokeError<"filesystem.read">>()
    expect<Effect.Effect.Context<typeof read>>().type.toBe<never>()
  })

  test("leave the channel one by one", () => {
    const read = invoke("filesystem.read", { path }).pipe(
      Effect.catchTag("FileNotFound", ({ path: missing }) => Effect.succeed(missing))
    )
    expect<Effect.Effect.Error<typeof read>>().type.toBe<Exclude<InvokeError<"filesystem.read">, FileNotFound>>()
    const write = invoke("filesystem.write", { path, content: "" }).pipe(
      Effect.catchTags({
        ApprovalRequired: ({ approvalId, capability }) => {
          expect(approvalId).type.toBe<string>()
          expect(capability).type.toBe<"filesystem.write" | undefined>()
          return Effect.void
        },
        DiskFull: () => Effect.void
      })
    )
    expect<Effect.Effect.Error<typeof write>>().type.toBe<
      Exclude<InvokeError<"filesystem.write">, DiskFull | ApprovalRequired<"filesystem.write">>
    >()
  })

  test("that a capability does not have are not among them", () => {
    expect<"DiskFull">().type.not.toBeAssignableTo<InvokeError<"filesystem.read">["_tag"]>()
    expect<"DiskFull">().type.toBeAssignableTo<InvokeError<"filesystem.write">["_tag"]>()
  })

  test("are narrowed by family", () => {
    const read = invoke("filesystem.read", { path })
    const [ofTheConnection, ofTheCapability] = [
      Effect.catchIf(read, isCapabilityError, () => Effect.void),
      Effect.catchIf(read, isGatewayError, () => Effect.void)
    ]
    expect<Effect.Effect.Error<typeof ofTheConnection>>().type.toBe<ConnectionErrors>()
    expect<Effect.Effect.Error<typeof ofTheCapability>>().type.toBe<
      PathOutOfScope | FileNotFound | EncodingError | GeneralErrors<"filesystem.read">
    >()
  })

  test("know the capability that waits for approval", () => {
    const handle = new ApprovalRequired<"process.run">({
      message: "wait",
      approvalId: "apr-1",
      capability: "process.run"
    })
    expect(handle.capability).type.toBe<"process.run" | undefined>()
    expect(handle).type.toBeAssignableTo<ApprovalRequired>()
    expect(handle).type.not.toBeAssignableTo<ApprovalRequired<"filesystem.read">>()
    expect(ApprovalRequired).type.not.toBeConstructableWith({ message: "wait" })
  })
})

test("the tag gives the interface", () => {
  expect<Effect.Effect.Success<typeof Capabilities>>().type.toBe<CapabilitiesService>()
})

describe("outcome", () => {
  const { outcome } = capabilities

  test("has the types of the invocation where its capability is named", () => {
    type Read = Effect.Effect.Success<ReturnType<typeof readOutcome>>
    const readOutcome = () => outcome("key", "filesystem.read")
    type Done = Extract<Read, { readonly _tag: "Done" }>
    expect<Either.Either.Right<Done["result"]>["content"]>().type.toBe<string>()
    expect<Either.Either.Left<Done["result"]>>().type.toBe<InvokeError<"filesystem.read">>()
  })

  test("is of unknown data without a name", () => {
    expect(outcome("key")).type.toBe<
      Effect.Effect<Outcome<unknown, KruxosError>, ServiceUnavailable | RateLimited | GatewayError>
    >()
  })

  test("takes no name that the catalogue lacks", () => {
    expect(outcome).type.not.toBeCallableWith("key", "filesystem.reed")
  })
})

describe("a stream of what is heard of an invocation", () => {
  const { invokeDynamicStream, invokeStream } = capabilities

  test("has the output and the errors of the invocation", () => {
    const read = invokeStream("filesystem.read", { path })
    const invoked = invoke("filesystem.read", { path })
    expect(read).type.toBe<
      Stream.Stream<InvocationEvent<Effect.Effect.Success<typeof invoked>>, InvokeError<"filesystem.read">>
    >()
    type Event = Stream.Stream.Success<typeof read>
    expect<Extract<Event, { readonly _tag: "Completed" }>["output"]["content"]>().type.toBe<string>()
    type Told = Extract<Event, { readonly _tag: "Progress" }>
    expect<Told["progress"]>().type.toBe<number>()
    expect<Told["total"]>().type.toBe<number | undefined>()
    expect<Told["message"]>().type.toBe<string | undefined>()
    expect<Event["_tag"]>().type.toBe<"Progress" | "Completed">()
  })

  test("takes what the invocation takes", () => {
    expect(invokeStream).type.toBeCallableWith("system.time")
    expect(invokeStream).type.toBeCallableWith("system.time", undefined, { timeout: "1 second" })
    expect(invokeStream).type.not.toBeCallableWith("filesystem.read")
    expect(invokeStream).type.not.toBeCallableWith("filesystem.read", { path, ofset: 1 })
    expect(invokeStream).type.not.toBeCallableWith("filesystem.reed", { path })
  })

  test("of a name that is known at run time only has unknown output", () => {
    expect(invokeDynamicStream("pack.anything")).type.toBe<Stream.Stream<InvocationEvent<unknown>, KruxosError>>()
  })

  test("is there for other catalogues, too", () => {
    const mine = Catalogue.make(Capability.make("mine.count", {
      tier: "autonomous",
      tags: [],
      inputs: {},
      outputs: { count: Schema.Number },
      errors: {},
      sideEffects: []
    }))
    const widened = capabilities.withCatalogue(mine).invokeStream("mine.count")
    type Completed = Extract<Stream.Stream.Success<typeof widened>, { readonly _tag: "Completed" }>
    expect<Completed["output"]["count"]>().type.toBe<number>()
    expect(capabilities.withCatalogue(mine).invokeStream).type.toBeCallableWith("filesystem.read", { path })
  })

  test("waits for approval where it is told to", () => {
    const waiting = invokeStream("process.run", { command: "make" }).pipe(Approvals.awaitApproval())
    expect<"ApprovalRequired">().type.not.toBeAssignableTo<Stream.Stream.Error<typeof waiting>["_tag"]>()
  })
})
