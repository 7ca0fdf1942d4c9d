import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  type BeginError,
  type CapabilitiesService,
  Capability,
  Catalogue,
  type GatewayError,
  type GatewayServices,
  type InvokeError,
  type KruxosError,
  type RateLimited,
  type RollbackIncomplete,
  type RollbackReport,
  type ServiceUnavailable,
  type State,
  Transaction,
  type TransactionClosed,
  type TransactionError,
  type TransactionHandle,
  type TransactionService,
  type TransactionTimeout,
  type VersionConflict
} from "kruxos"
import { describe, expect, test } from "tstyche"

declare const transaction: TransactionService

declare const handle: TransactionHandle

declare const capabilities: CapabilitiesService

const { invoke, invokeDynamic, invokeResult } = capabilities

const write = invoke("filesystem.write", { path: "a", content: "" })

type Write = Effect.Effect.Success<typeof write>

describe("run", () => {
  test("adds the errors of the transaction, and the need of it", () => {
    expect(Transaction.run(write)).type.toBe<
      Effect.Effect<Write, InvokeError<"filesystem.write"> | TransactionError, Transaction>
    >()
    expect(write.pipe(Transaction.run)).type.toBe<
      Effect.Effect<Write, InvokeError<"filesystem.write"> | TransactionError, Transaction>
    >()
    expect(Transaction.run(Effect.succeed(1), { timeout: "5 minutes" })).type.toBe<
      Effect.Effect<number, TransactionError, Transaction>
    >()
    expect(transaction.run(write)).type.toBe<Effect.Effect<Write, InvokeError<"filesystem.write"> | TransactionError>>()
  })

  test("keeps what the effect needs, and errors of other kinds", () => {
    const other = Effect.zipRight(Effect.flatMap(Transaction, () => Effect.fail("mine" as const)), Effect.scope)
    expect<Effect.Effect.Context<ReturnType<typeof run>>>().type.toBe<Transaction | Scope.Scope>()
    expect<Effect.Effect.Error<ReturnType<typeof run>>>().type.toBe<"mine" | TransactionError>()
    const run = () => Transaction.run(other)
  })

  test("says why nothing was done", () => {
    expect<TransactionTimeout | TransactionClosed | VersionConflict | RollbackIncomplete | GatewayError>()
      .type.toBeAssignableTo<TransactionError>()
    expect<TransactionError>().type.toBeAssignableTo<KruxosError>()
    expect<"NotReversible">().type.not.toBeAssignableTo<TransactionError["_tag"]>()
    const handled = Effect.catchTag(
      Transaction.run(write),
      "RollbackIncomplete",
      ({ conflicts }) => Effect.succeed(conflicts.map(({ savedAs }) => savedAs))
    )
    expect<Effect.Effect.Success<typeof handled>>().type.toBe<Write | Array<string | undefined>>()
  })

  test("takes effects only", () => {
    expect(Transaction.run).type.not.toBeCallableWith(Stream.make(1))
    expect(Transaction.run).type.not.toBeCallableWith(write, { timeout: "soon" })
  })
})

test("begin needs a scope", () => {
  expect(Transaction.begin()).type.toBe<Effect.Effect<TransactionHandle, BeginError, Transaction | Scope.Scope>>()
  expect(handle.invoke("filesystem.write", { path: "a", content: "" })).type.toBe<
    Effect.Effect<Write, InvokeError<"filesystem.write">>
  >()
  expect(handle.inside(write)).type.toBe<Effect.Effect<Write, InvokeError<"filesystem.write">>>()
  expect(handle.rollback).type.toBe<
    Effect.Effect<RollbackReport, TransactionClosed | RateLimited | ServiceUnavailable | GatewayError>
  >()
  expect(handle.mode).type.toBe<"gateway" | "compensating">()
})

test("outside changes nothing but the need of the transaction", () => {
  expect(Transaction.outside(write)).type.toBe<Effect.Effect<Write, InvokeError<"filesystem.write">, Transaction>>()
  expect(Transaction.outside(Stream.fromEffect(write))).type.toBe<
    Stream.Stream<Write, InvokeError<"filesystem.write">, Transaction>
  >()
})

describe("compensate", () => {
  test("has the output of the capability", () => {
    invoke("alerts.send", { message: "!" }, {
      compensate: (output) => {
        expect(output.alert_id).type.toBe<string>()
        return invoke("alerts.acknowledge", { alert_id: output.alert_id })
      }
    })
    invokeResult("filesystem.write", { path: "a", content: "" }, {
      compensate: ({ size }) => {
        expect(size).type.toBe<number>()
        return Effect.void
      }
    })
    expect(invoke("filesystem.write", { path: "a", content: "" }, { compensate: () => Effect.fail("no") })).type.toBe<
      Effect.Effect<Write, InvokeError<"filesystem.write">>
    >()
    expect(invoke).type.not.toBeCallableWith("alerts.send", { message: "!" }, { compensate: () => "an effect" })
    expect(invoke).type.not.toBeCallableWith("alerts.send", { message: "!" }, {
      compensate: (output: { readonly nothing: true }) => Effect.succeed(output)
    })
  })

  test("needs nothing of the context", () => {
    expect(invoke).type.not.toBeCallableWith("alerts.send", { message: "!" }, { compensate: () => Transaction })
  })

  test("of another catalogue has its output too", () => {
    const mine = Catalogue.make(
      Capability.make("pack.order", {
        tier: "autonomous",
        tags: [],
        inputs: {},
        outputs: { order: Schema.Number },
        errors: {}
      })
    )
    capabilities.withCatalogue(mine).invoke("pack.order", {}, {
      compensate: ({ order }) => {
        expect(order).type.toBe<number>()
        return Effect.void
      }
    })
  })

  test("of a dynamic invocation has what its schema reads", () => {
    invokeDynamic("pack.order", {}, {
      compensate: (output) => {
        expect(output).type.toBe<unknown>()
        return Effect.void
      }
    })
    const read = invokeDynamic("pack.order", {}, {
      output: Schema.Struct({ order: Schema.NumberFromString }),
      compensate: (output) => {
        expect(output.order).type.toBe<number>()
        return Effect.void
      }
    })
    expect<Effect.Effect.Success<typeof read>>().type.toBe<{ readonly order: number }>()
  })
})

test("every gateway gives it", () => {
  expect<Transaction | State>().type.toBeAssignableTo<GatewayServices>()
})
