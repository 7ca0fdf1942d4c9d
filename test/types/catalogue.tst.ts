import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  type ApprovalExpired,
  type ApprovalRejected,
  type ApprovalRequired,
  type ApprovalTimeout,
  type AuthenticationFailed,
  type BatchProtection,
  type BuiltIn,
  type CapabilitiesService,
  Capability,
  type CapabilityError,
  Catalogue,
  type CommandNotFound,
  type ConnectionFailed,
  type EncodingError,
  FileNotFound,
  type GatewayTimeout,
  type InvalidInput,
  type InvalidPattern,
  type InvokeError,
  type KruxosError,
  type NotARepository,
  type NotReversible,
  type OutcomeUnknown,
  type OutputMismatch,
  PathOutOfScope,
  type PermissionDenied,
  type PolicyDenied,
  type ProtocolError,
  type PushFailed,
  type PushRejected,
  type QuotaExceeded,
  type RateLimited,
  type ReplacementCountMismatch,
  type ResourceExhausted,
  type ResourceLimitExceeded,
  ServiceUnavailable,
  type SessionExpired,
  type SessionPaused,
  type SpawnFailed,
  type TransactionClosed,
  type VersionConflict,
  type WriteFailed
} from "kruxos"
import { LocalGateway } from "kruxos/local"
import { describe, expect, test } from "tstyche"

declare const capabilities: CapabilitiesService
declare const utc: DateTime.Utc

const { invoke, invokeDynamic } = capabilities

const path = "/workspace/project"

/** What every invocation can fail with, whatever the capability. */
type Always<Name extends string> =
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
  | ConnectionFailed
  | AuthenticationFailed
  | SessionExpired
  | GatewayTimeout
  | OutcomeUnknown
  | ProtocolError

describe("errors", () => {
  test("of a capability are its own and those of any invocation, and no others", () => {
    expect<InvokeError<"filesystem.read">>().type.toBe<
      Always<"filesystem.read"> | PathOutOfScope | FileNotFound | EncodingError
    >()
    expect<InvokeError<"filesystem.edit">>().type.toBe<
      Always<"filesystem.edit"> | PathOutOfScope | FileNotFound | ReplacementCountMismatch | InvalidPattern
    >()
    expect<InvokeError<"git.push">>().type.toBe<
      Always<"git.push"> | PathOutOfScope | NotARepository | PushRejected | PushFailed
    >()
    expect<InvokeError<"process.run">>().type.toBe<
      Always<"process.run"> | CommandNotFound | ResourceLimitExceeded | PathOutOfScope | SpawnFailed
    >()
    expect<InvokeError<"state.shared.set">>().type.toBe<
      Always<"state.shared.set"> | VersionConflict | QuotaExceeded
    >()
    expect<InvokeError<"email.send">>().type.toBe<Always<"email.send"> | BatchProtection | WriteFailed>()
  })

  test("are those in the channel of the invocation", () => {
    const push = invoke("git.push", { path })
    expect<Effect.Effect.Error<typeof push>>().type.toBe<InvokeError<"git.push">>()
    const set = invoke("state.shared.set", { key: "a", value: 1, expected_version: 0 })
    expect<Effect.Effect.Error<typeof set>>().type.toBe<InvokeError<"state.shared.set">>()
  })

  test("leave the channel one at a time", () => {
    const push = invoke("git.push", { path }).pipe(Effect.catchTag("PushRejected", () => Effect.void))
    expect<Effect.Effect.Error<typeof push>>().type.toBe<
      Always<"git.push"> | PathOutOfScope | NotARepository | PushFailed
    >()
    const set = invoke("state.shared.set", { key: "a", value: 1, expected_version: 0 }).pipe(
      Effect.catchTag("VersionConflict", () => Effect.void)
    )
    expect<Effect.Effect.Error<typeof set>>().type.toBe<Always<"state.shared.set"> | QuotaExceeded>()
    const send = invoke("email.send", { to: "ada@example.org" }).pipe(
      Effect.catchTag("BatchProtection", () => Effect.void)
    )
    expect<Effect.Effect.Error<typeof send>>().type.toBe<Always<"email.send"> | WriteFailed>()
  })

  test("of another capability are not there to be caught", () => {
    expect<"PushRejected">().type.toBeAssignableTo<InvokeError<"git.push">["_tag"]>()
    expect<"PushRejected">().type.not.toBeAssignableTo<InvokeError<"git.pull">["_tag"]>()
    expect<"VersionConflict">().type.not.toBeAssignableTo<InvokeError<"state.persistent.set">["_tag"]>()
    expect<"BatchProtection">().type.not.toBeAssignableTo<InvokeError<"email.draft">["_tag"]>()
  })
})

describe("names", () => {
  test("with a typo are none", () => {
    expect(invoke).type.toBeCallableWith("git.log", { path })
    expect(invoke).type.not.toBeCallableWith("git.logs", { path })
    expect(invoke).type.not.toBeCallableWith("Git.log", { path })
    expect(invoke).type.not.toBeCallableWith("state.get", { key: "a" })
    expect(invoke).type.toBeCallableWith("state.persistent.get", { key: "a" })
  })

  test("of every category are there", () => {
    expect<
      | "agent.session"
      | "alerts.list"
      | "comms.send"
      | "email.send"
      | "filesystem.watch"
      | "git.init"
      | "network.http_request"
      | "process.run"
      | "secrets.list"
      | "slack.search"
      | "state.session.get"
      | "system.info"
    >().type.toBeAssignableTo<keyof BuiltIn>()
  })
})

describe("input", () => {
  test("of process.run", () => {
    expect(invoke).type.toBeCallableWith("process.run", {
      command: "npm",
      args: ["test"],
      working_directory: path,
      environment: { CI: "true" },
      timeout: 60,
      background: false,
      cpu_limit: 0.5
    })
    expect(invoke).type.not.toBeCallableWith("process.run")
    expect(invoke).type.not.toBeCallableWith("process.run", {})
    expect(invoke).type.not.toBeCallableWith("process.run", { command: ["npm", "test"] })
    expect(invoke).type.not.toBeCallableWith("process.run", { command: "npm", args: "test" })
    expect(invoke).type.not.toBeCallableWith("process.run", { command: "npm", environment: { CI: true } })
    expect(invoke).type.not.toBeCallableWith("process.run", { command: "npm", timeout: "60" })
    expect(invoke).type.not.toBeCallableWith("process.run", { command: "npm", cwd: path })
  })

  test("of state.shared.set says which version it replaces", () => {
    expect(invoke).type.toBeCallableWith("state.shared.set", { key: "a", value: { b: [1] }, expected_version: 3 })
    expect(invoke).type.toBeCallableWith("state.shared.set", { key: "a", value: null, expected_version: 0 })
    expect(invoke).type.not.toBeCallableWith("state.shared.set", { key: "a", value: 1 })
    expect(invoke).type.not.toBeCallableWith("state.shared.set", { key: "a", value: 1, expected_version: undefined })
    expect(invoke).type.not.toBeCallableWith("state.shared.set", { key: "a", value: 1, expected_version: "3" })
    expect(invoke).type.not.toBeCallableWith("state.shared.set", { key: "a", expected_version: 3 })
    expect(invoke).type.not.toBeCallableWith("state.shared.set", { value: 1, expected_version: 3 })
    expect(invoke).type.not.toBeCallableWith("state.shared.set", { key: "a", value: 1, expected_version: 3, ttl: 60 })
  })

  test("of git.log takes a number and a point in time", () => {
    expect(invoke).type.toBeCallableWith("git.log", { path, limit: 10, since: utc, author: "Ada" })
    expect(invoke).type.not.toBeCallableWith("git.log", { path, limit: "10" })
    expect(invoke).type.not.toBeCallableWith("git.log", { path, since: "2026-11-01" })
    expect(invoke).type.not.toBeCallableWith("git.log", { path, since: new Date() })
    expect(invoke).type.not.toBeCallableWith("git.log", { limit: 10 })
    expect(invoke).type.not.toBeCallableWith("git.log", { path, until: utc })
  })

  test("that may be left out is told by the catalogue alone", () => {
    expect<Catalogue.Input<BuiltIn, "git.push">>().type.toBe<{
      readonly path: string
      readonly remote?: string | undefined
      readonly branch?: string | undefined
    }>()
    expect<Catalogue.HandlerInput<BuiltIn, "git.push">>().type.toBe<{
      readonly path: string
      readonly remote: string
      readonly branch?: string | undefined
    }>()
  })

  test("of an enumeration is closed where a gateway refuses what it does not know", () => {
    expect(invoke).type.toBeCallableWith("process.list", { state_filter: "running" })
    expect(invoke).type.not.toBeCallableWith("process.list", { state_filter: "asleep" })
    expect(invoke).type.toBeCallableWith("process.kill", { process_id: "p", signal: "SIGKILL" })
    expect(invoke).type.toBeCallableWith("process.kill", { process_id: "p", signal: "SIGWINCH" })
  })
})

describe("output", () => {
  test("is inferred, down to what lists hold", () => {
    const log = invoke("git.log", { path })
    type Log = Effect.Effect.Success<typeof log>
    expect<Log["commits"][number]>().type.toBe<{
      readonly hash: string
      readonly short_hash: string
      readonly message: string
      readonly author_name: string
      readonly author_email: string
      readonly timestamp: DateTime.Utc
    }>()
    expect<Log["total_returned"]>().type.toBe<number>()
    expect<Log>().type.not.toHaveProperty("truncated")
  })

  test("that is any JSON value has to be looked at", () => {
    const get = invoke("state.persistent.get", { key: "a" })
    type Get = Effect.Effect.Success<typeof get>
    expect<Get["value"]>().type.toBe<unknown>()
    expect<Get["found"]>().type.toBe<boolean>()
    expect<Get["version"]>().type.toBe<number | undefined>()
    expect<Get["updated_at"]>().type.toBe<DateTime.Utc | undefined>()
  })

  test("that may be null says so", () => {
    type Run = Catalogue.Output<BuiltIn, "process.run">
    expect<Run["exit_code"]>().type.toBe<number | null>()
  })

  test("of an enumeration completes what is known, and takes what is not", () => {
    type State = Catalogue.Output<BuiltIn, "process.run">["state"]
    expect<State>().type.toBe<"completed" | "running" | "killed" | "timed_out" | (string & {})>()
    expect<"running">().type.toBeAssignableTo<State>()
    expect<string>().type.toBeAssignableTo<State>()
    expect<7>().type.not.toBeAssignableTo<State>()
    type Applied = Catalogue.Output<BuiltIn, "filesystem.edit">["applied"]
    expect<Applied>().type.toBe<"full" | "preview" | "partial" | (string & {})>()
  })
})

describe("an invocation by any name", () => {
  test("is unknown, or what `output` makes of it", () => {
    expect(invokeDynamic("git.log", { path })).type.toBe<Effect.Effect<unknown, KruxosError>>()
    expect(invokeDynamic("shop.order", { item: 7 }, { timeout: "1 second" })).type.toBe<
      Effect.Effect<unknown, KruxosError>
    >()
    const output = Schema.Struct({ ordered_at: Schema.DateTimeUtc, count: Schema.NumberFromString })
    expect(invokeDynamic("shop.order", { item: 7 }, { output })).type.toBe<
      Effect.Effect<{ readonly ordered_at: DateTime.Utc; readonly count: number }, KruxosError>
    >()
    expect(invokeDynamic).type.not.toBeCallableWith("shop.order", {}, { output: "order" })
  })
})

const order = Capability.make("shop.order", {
  tier: "notify",
  tags: ["shop"],
  inputs: {
    item: Schema.Number,
    count: Capability.optional(Schema.Number, 1),
    note: Capability.optional(Schema.String)
  },
  outputs: { ordered: Schema.Boolean, at: Schema.DateTimeUtc },
  errors: { FileNotFound: Capability.failure(FileNotFound, "search") }
})

const cancel = Capability.make("shop.cancel", {
  tier: "autonomous",
  tags: ["shop"],
  inputs: {},
  outputs: { cancelled: Schema.Boolean },
  errors: {}
})

const shop = Catalogue.make(order, cancel)

describe("the capabilities of a pack", () => {
  const { invoke: invokeBoth } = capabilities.withCatalogue(shop)

  test("are typed beside the gateway's own", () => {
    const ordered = invokeBoth("shop.order", { item: 7, note: "soon" })
    expect<Effect.Effect.Success<typeof ordered>>().type.toBe<
      { readonly ordered: boolean; readonly at: DateTime.Utc }
    >()
    expect<Effect.Effect.Error<typeof ordered>>().type.toBe<Always<"shop.order"> | FileNotFound>()
    expect<Catalogue.OwnError<typeof shop, "shop.cancel">>().type.toBe<never>()
    const cancelled = invokeBoth("shop.cancel")
    expect<Effect.Effect.Error<typeof cancelled>>().type.toBe<Always<"shop.cancel">>()
    const push = invokeBoth("git.push", { path })
    expect<Effect.Effect.Error<typeof push>>().type.toBe<InvokeError<"git.push">>()
  })

  test("are not there without their catalogue", () => {
    expect(invoke).type.not.toBeCallableWith("shop.order", { item: 7 })
  })

  test("refuse names and inputs that they do not have", () => {
    expect(invokeBoth).type.toBeCallableWith("shop.order", { item: 7, count: 2 })
    expect(invokeBoth).type.not.toBeCallableWith("shop.orders", { item: 7 })
    expect(invokeBoth).type.not.toBeCallableWith("shop.order")
    expect(invokeBoth).type.not.toBeCallableWith("shop.order", { item: "7" })
    expect(invokeBoth).type.not.toBeCallableWith("shop.order", { item: 7, amount: 2 })
    expect(invokeBoth).type.not.toBeCallableWith("git.push", {})
  })
})

describe("the handlers of a pack", () => {
  const { pack } = LocalGateway
  const orders = () => Effect.succeed({ ordered: true, at: utc })
  const cancels = () => Effect.succeed({ cancelled: true })

  test("are there for each of its capabilities", () => {
    expect(pack).type.toBeCallableWith(shop, { "shop.order": orders, "shop.cancel": cancels })
    expect(pack).type.not.toBeCallableWith(shop, { "shop.order": orders })
    expect(pack).type.not.toBeCallableWith(shop, {})
    expect(pack).type.not.toBeCallableWith(shop)
    expect(pack).type.not.toBeCallableWith(shop, {
      "shop.order": orders,
      "shop.cancel": cancels,
      "shop.return": cancels
    })
  })

  test("are given the input with its defaults", () => {
    pack(shop, {
      "shop.order": (input, { sessionId }) => {
        expect(input).type.toBe<
          { readonly item: number; readonly count: number; readonly note?: string | undefined }
        >()
        expect(sessionId).type.toBe<string>()
        return orders()
      },
      "shop.cancel": cancels
    })
  })

  test("give the output of the capability", () => {
    expect(pack).type.not.toBeCallableWith(shop, {
      "shop.order": () => Effect.succeed({ ordered: true }),
      "shop.cancel": cancels
    })
    expect(pack).type.not.toBeCallableWith(shop, {
      "shop.order": () => Effect.succeed({ ordered: true, at: "2026-11-01" }),
      "shop.cancel": cancels
    })
    expect(pack).type.not.toBeCallableWith(shop, { "shop.order": cancels, "shop.cancel": orders })
  })

  test("fail with the errors of the capability, or with what any handler may fail with", () => {
    const missing = () => Effect.fail(new FileNotFound({ message: "There is no such item" }))
    const closed = () => Effect.fail(new ServiceUnavailable({ message: "The shop is closed" }))
    const outOfScope = () => Effect.fail(new PathOutOfScope({ message: "Out of scope" }))
    expect(pack).type.toBeCallableWith(shop, { "shop.order": missing, "shop.cancel": closed })
    expect(pack).type.not.toBeCallableWith(shop, { "shop.order": outOfScope, "shop.cancel": closed })
    expect(pack).type.not.toBeCallableWith(shop, { "shop.order": missing, "shop.cancel": missing })
  })
})

describe("the declaration of a capability", () => {
  const outputs = { size: Schema.Number, size_bytes: Schema.Number }
  const declaration = { tier: "autonomous", tags: [], inputs: {}, outputs, errors: {} } as const

  test("spells outputs that it has", () => {
    expect(Capability.make).type.toBeCallableWith("shop.size", { ...declaration, spellings: [["size", "size_bytes"]] })
    expect(Capability.make).type.not.toBeCallableWith("shop.size", { ...declaration, spellings: [["size", "bytes"]] })
    expect(Capability.make).type.not.toBeCallableWith("shop.size", { ...declaration, spellings: [["size"]] })
  })

  test("has a tier and effects that there are", () => {
    expect(Capability.make).type.toBeCallableWith("shop.size", { ...declaration, sideEffects: ["reversible"] })
    expect(Capability.make).type.not.toBeCallableWith("shop.size", { ...declaration, sideEffects: ["perhaps"] })
    expect(Capability.make).type.not.toBeCallableWith("shop.size", { ...declaration, tier: "never" })
  })

  test("gives inputs defaults of their type", () => {
    expect(Capability.optional).type.toBeCallableWith(Schema.Number, 1)
    expect(Capability.optional).type.not.toBeCallableWith(Schema.Number, "1")
  })
})
