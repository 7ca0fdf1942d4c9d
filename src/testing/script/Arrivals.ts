import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as GlobalValue from "effect/GlobalValue"
import * as Option from "effect/Option"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { CoreService } from "../../local/Core.js"
import type { Found } from "./Book.js"
import { compare } from "./difference.js"
import type { MockInvocation } from "./ScriptControl.js"

type End = Exit.Exit<unknown, KruxosError>

/** An invocation that has arrived, and what has become of it so far. */
export interface Arrival {
  readonly number: number
  readonly capability: string
  readonly arguments: unknown
  readonly at: DateTime.Utc
  readonly sessionId: string
  readonly idempotencyKey: string | undefined
  readonly transactionId: string | undefined
  /** The answer that is set aside for it. */
  reserved: Found | "own" | undefined
  /** What its request came to. */
  answered: End | undefined
  /** Whether what carries it out has begun, and what came of that. */
  hasBegun: boolean
  handled: End | undefined
  /** The output, as it goes on the wire, that the script has given it. */
  output: { readonly value: unknown } | undefined
  isRolledBack: boolean
}

/** The invocation that a fiber works for; those that are forked for the work have it too. */
const currentArrival: FiberRef.FiberRef<Arrival | undefined> = GlobalValue.globalValue(
  "kruxos/testing/currentArrival",
  () => FiberRef.unsafeMake<Arrival | undefined>(undefined)
)

/** Who asks for the arrival that they work for. */
export interface Work {
  readonly capability: string
  /** The session or the request for approval that it belongs to. */
  readonly source: string
  readonly arguments: unknown
}

/** What has arrived. */
export interface Arrivals {
  /** Notes what is invoked. */
  readonly core: (core: CoreService) => CoreService
  /** The arrival for which a fiber works; undefined where that cannot be told. */
  readonly of: (work: Work) => Effect.Effect<Arrival | undefined>
  /** Notes when what carries an invocation out begins, and what comes of it. */
  readonly during: <A>(
    arrival: Arrival | undefined,
    effect: Effect.Effect<A, KruxosError>
  ) => Effect.Effect<A, KruxosError>
  readonly byNumber: (number: number) => Arrival | undefined
  readonly invocations: Effect.Effect<ReadonlyArray<MockInvocation>>
}

const approvalOf = ({ answered }: Arrival): string | undefined => {
  if (answered === undefined || Exit.isSuccess(answered)) return undefined
  const failure = Option.getOrUndefined(Cause.failureOption(answered.cause))
  return failure?._tag === "ApprovalRequired" ? failure.approvalId : undefined
}

// A request that was given up, or waits for a human, is no end of the invocation where that goes on.
const endOf = (arrival: Arrival): End | undefined => {
  const { answered, handled, hasBegun } = arrival
  if (answered === undefined) return undefined
  const goesOn = Exit.isInterrupted(answered) || approvalOf(arrival) !== undefined
  if (!goesOn) return answered
  return handled ?? (hasBegun ? undefined : answered)
}

const invocationOf = (arrival: Arrival): MockInvocation => ({
  capability: arrival.capability,
  arguments: arrival.arguments,
  at: arrival.at,
  sessionId: arrival.sessionId,
  idempotencyKey: arrival.idempotencyKey,
  transactionId: arrival.transactionId,
  exit: endOf(arrival),
  isRolledBack: arrival.isRolledBack
})

/** Makes the record of what arrives, at this gateway and at those after its restarts. */
export const make = (onArrival: (capability: string, input: unknown) => void): Arrivals => {
  const all: Array<Arrival> = []
  // By the ids of the requests for approval.
  const asking = new Map<string, Arrival>()

  // It was approved, and is carried out by a fiber of the gateway's: as a step of a transaction it says no more than this.
  const isWaiting = (arrival: Arrival, { arguments: given, capability, source }: Work) =>
    arrival.capability === capability &&
    arrival.sessionId === source &&
    !arrival.hasBegun &&
    compare(given, arrival.arguments ?? {}).length === 0

  return {
    core: (core) => ({
      ...core,
      invoke: (session, name, input, options) =>
        Effect.flatMap(DateTime.now, (at) => {
          const arrival: Arrival = {
            number: all.length,
            capability: name,
            arguments: input ?? {},
            at,
            sessionId: session.id,
            idempotencyKey: options?.idempotencyKey,
            transactionId: options?.transaction?.id,
            reserved: undefined,
            answered: undefined,
            hasBegun: false,
            handled: undefined,
            output: undefined,
            isRolledBack: false
          }
          all.push(arrival)
          onArrival(name, arrival.arguments)
          return core.invoke(session, name, input, options).pipe(
            Effect.onExit((exit) =>
              Effect.sync(() => {
                arrival.answered = exit
                const approvalId = approvalOf(arrival)
                if (approvalId !== undefined) asking.set(approvalId, arrival)
              })
            ),
            Effect.locally(currentArrival, arrival)
          )
        })
    }),
    of: (work) =>
      Effect.map(FiberRef.get(currentArrival), (current) =>
        asking.get(work.source) ??
          (current?.capability === work.capability
            ? current
            : [...asking.values()].find((arrival) => isWaiting(arrival, work)))),
    during: (arrival, effect) => {
      if (arrival === undefined) return effect
      return Effect.suspend(() => {
        arrival.hasBegun = true
        arrival.handled = undefined
        return effect
      }).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            arrival.handled = exit
          })
        ),
        Effect.locally(currentArrival, arrival)
      )
    },
    byNumber: (number) => all[number],
    invocations: Effect.sync(() => all.map(invocationOf))
  }
}
