import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { type Fault, FloodKind, Step } from "../support/faultProxyScript.js"

/** A call that a client makes: what, when (in milliseconds from the start), and for how long it waits. */
const ScheduledCall = Schema.Struct({
  client: Schema.Literal(0, 1),
  kind: Schema.Literal("append", "read", "list", "time"),
  /** Which of the files or folders that there are to read or list. */
  which: Schema.Literal(0, 1, 2),
  at: Schema.NonNegativeInt,
  timeout: Schema.Int.pipe(Schema.positive()),
  /** The caller gives up after so long. */
  interruptAfter: Schema.NullOr(Schema.NonNegativeInt)
})
export type ScheduledCall = typeof ScheduledCall.Type

/** What one or two clients do, and what happens to their connections meanwhile. */
export const FaultSchedule = Schema.Struct({
  clients: Schema.Literal(1, 2),
  /** How often a client asks for a sign of life, in milliseconds. */
  heartbeat: Schema.Int.pipe(Schema.positive()),
  /** How long a client waits for a connection and a session, in milliseconds. */
  connectTimeout: Schema.Int.pipe(Schema.positive()),
  /** A feature that the clients do not know: invocations have no keys then, or are mere tools of MCP, as with a plain KruxOS. */
  hides: Schema.NullOr(Schema.Literal("idempotency", "native")),
  /** What becomes of the first connections, whoever makes them; all further ones are sound. */
  steps: Schema.Array(Step),
  calls: Schema.Array(ScheduledCall)
})
export type FaultSchedule = typeof FaultSchedule.Type

/** Reads a schedule as a failed run has printed it. */
export const decodeSchedule = Schema.decodeSync(Schema.parseJson(FaultSchedule))

const { array, boolean, constant, constantFrom, integer, nat, oneof, record } = FastCheck

const direction = constantFrom("toClient" as const, "toServer" as const)

// In the upgrade, in `initialize`, among the first calls, and within long answers.
const afterBytes = oneof(nat(200), nat(1500), nat(4000), nat(20_000))

const how = constantFrom("reset" as const, "end" as const)

const open = constantFrom("client" as const, "server" as const)

// What ends a connection, or makes it useless.
const fatal: FastCheck.Arbitrary<Fault> = oneof(
  record({ _tag: constant("Cut" as const), direction, afterBytes, how }),
  record({ _tag: constant("Cut" as const), direction, afterBytes, how }),
  record({ _tag: constant("Truncate" as const), direction, chunk: nat(20), keep: nat(200) }),
  record({ _tag: constant("Blackhole" as const), direction, afterBytes, both: boolean() }),
  record({ _tag: constant("Stall" as const), direction, afterBytes, milliseconds: nat(500) }),
  record({ _tag: constant("HalfOpen" as const), direction, afterBytes, open })
)

const bearable: FastCheck.Arbitrary<Fault> = oneof(
  record({ _tag: constant("Delay" as const), direction, milliseconds: nat(40), jitter: nat(60) }),
  record({
    _tag: constant("Trickle" as const),
    direction,
    bytes: integer({ min: 1, max: 20 }),
    pieces: nat(300)
  }),
  record({ _tag: constant("Duplicate" as const), every: integer({ min: 1, max: 4 }) }),
  record({
    _tag: constant("Reorder" as const),
    window: integer({ min: 1, max: 8 }),
    milliseconds: integer({ min: 1, max: 60 })
  }),
  record({
    _tag: constant("Flood" as const),
    afterFrames: nat(8),
    messages: integer({ min: 1, max: 200 }),
    kind: constantFrom(...FloodKind.literals, "answers" as const, "answers" as const)
  })
)

const fault = oneof({ weight: 3, arbitrary: fatal }, { weight: 2, arbitrary: bearable })

const step: FastCheck.Arbitrary<Step> = oneof(
  {
    weight: 12,
    arbitrary: record({
      _tag: constant("Serve" as const),
      faults: array(fault, { minLength: 1, maxLength: 3, size: "max" }),
      refuseAfter: oneof({ weight: 3, arbitrary: constant(0) }, { weight: 1, arbitrary: nat(80) })
    })
  },
  { weight: 1, arbitrary: record({ _tag: constant("Deny" as const), status: constant(503 as const) }) },
  { weight: 1, arbitrary: record({ _tag: constant("Deny" as const), status: constant(401 as const) }) }
)

const call: FastCheck.Arbitrary<ScheduledCall> = record({
  client: constantFrom(0 as const, 1 as const),
  kind: constantFrom("append" as const, "append" as const, "read" as const, "list" as const, "time" as const),
  which: constantFrom(0 as const, 1 as const, 2 as const),
  at: nat(150),
  timeout: integer({ min: 100, max: 700 }),
  interruptAfter: oneof({ weight: 4, arbitrary: constant(null) }, { weight: 1, arbitrary: nat(60) })
})

/**
 * Any schedule. Nothing in it is mapped, so that FastCheck can make a schedule smaller that it has not generated itself.
 */
export const schedules: FastCheck.Arbitrary<FaultSchedule> = record({
  clients: constantFrom(1 as const, 2 as const),
  heartbeat: integer({ min: 100, max: 200 }),
  connectTimeout: integer({ min: 300, max: 500 }),
  hides: constantFrom(null, "idempotency" as const, null, "native" as const),
  steps: array(step, { minLength: 1, maxLength: 4, size: "max" }),
  calls: array(call, { minLength: 5, maxLength: 25, size: "max" })
})
