import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { AnyCapability } from "../../catalogue/Capability.js"
import { CapabilityError } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Handler, Registration } from "../../local/capabilities/Handler.js"
import { registerAll } from "../../local/capabilities/Handler.js"
import type { Arrival, Arrivals } from "./Arrivals.js"
import type { Book, Expectation, Found, Near } from "./Book.js"
import * as Failures from "./failures.js"
import { type Fitting, outputEncoder } from "./fit.js"
import type { Taken } from "./Line.js"
import { withoutDefaults } from "./Matching.js"
import type * as Performing from "./performing.js"
import type { Mismatch } from "./ScriptMismatch.js"

/** Answers invocations by the script, or leaves them to the gateway's own handlers. */
export interface Answering {
  /** The registration that asks the script first; `own` is what carries out the capability where that says nothing. */
  readonly registrationOf: (capability: AnyCapability, own: Registration | undefined) => Registration
  /** Sets an answer aside for an arrival, before it is carried out, and tells who gives it. */
  readonly reserve: (capability: AnyCapability, input: unknown, arrival: Arrival | undefined) => "script" | "own"
  /** Gives back what was set aside, if it was not used. */
  readonly release: (arrival: Arrival | undefined) => void
}

// Never leaves this module.
const passedOn = () =>
  new CapabilityError({ type: "mock.passed_on", message: "the gateway's own handler carries it out" })

const noOwn = "the gateway in memory does not carry it out itself, so that there is nothing to pass it through to"

/** What a script goes with. */
export interface Setting {
  readonly book: Book
  readonly arrivals: Arrivals
  readonly perform: Performing.Perform
  /** Which capabilities the gateway itself carries out where nothing else is said. */
  readonly keepsOwn: (name: string) => boolean
  /** Which ones it can carry out. */
  readonly hasOwn: (name: string) => boolean
  /** `nearest` is the expectation that a mismatch tells of already. */
  readonly note: (mismatch: Mismatch, nearest?: Expectation) => void
}

/** Makes what answers by a script. */
export const make = ({ arrivals, book, hasOwn, keepsOwn, note, perform }: Setting): Answering => {
  const find = (name: string, input: unknown): Found | "own" => {
    const found = book.take(name, input)
    return found._tag === "Missing" && keepsOwn(name) ? "own" : found
  }

  // What is carried out by the gateway itself, and what the script lets go wrong with that.
  const passing = new WeakMap<KruxosError, Taken | undefined>()

  const passOn = (taken?: Taken): Effect.Effect<never, KruxosError> =>
    Effect.suspend(() => {
      const error = passedOn()
      passing.set(error, taken)
      return Effect.fail(error)
    })

  const isOwn = (capability: AnyCapability, found: Found | "own") =>
    found === "own" || (found._tag === "Taken" && found.step.answer._tag === "PassThrough" && hasOwn(capability.name))

  const missing = (capability: AnyCapability, all: unknown, nearest: Near | undefined) => {
    const input = withoutDefaults(capability, all)
    note({
      _tag: "Unscripted",
      capability: capability.name,
      arguments: input,
      ...(nearest === undefined ? {} : { nearest: nearest.text })
    }, nearest?.expectation)
    return Effect.fail(Failures.unscripted(capability, input, nearest?.text))
  }

  const scripted = (capability: AnyCapability): Registration => {
    const encode = outputEncoder(capability)
    const refuse = (reason: string): Effect.Effect<never, KruxosError> =>
      Effect.suspend(() => {
        note({ _tag: "Unfit", capability: capability.name, reason })
        return Effect.fail(Failures.impossible(capability, reason))
      })
    const handler: Handler<AnyCapability> = (input, invocation) =>
      Effect.flatMap(
        arrivals.of({ capability: capability.name, source: invocation.sessionId, arguments: input }),
        (arrival): Effect.Effect<Fitting["output"], KruxosError> => {
          const found = arrival?.reserved ?? find(capability.name, input)
          if (arrival !== undefined) arrival.reserved = undefined
          if (found === "own") return passOn()
          if (found._tag === "Missing") return missing(capability, input, found.nearest)
          if (isOwn(capability, found)) return passOn(found)
          return found.step.answer._tag === "PassThrough"
            ? refuse(noOwn)
            : perform.answer({ capability, encode, taken: found, input, invocation, arrival, refuse })
        }
      )
    const [registration] = registerAll({ [capability.name]: capability }, { [capability.name]: handler })
    if (registration === undefined) throw new Error(`${capability.name} was not registered`)
    return registration
  }

  return {
    registrationOf: (capability, own) => {
      // At first use: few of all capabilities are invoked in one test.
      let made: Registration | undefined
      return {
        capability,
        prepare: (input) =>
          Either.map((made ??= scripted(capability)).prepare(input), (run) => (invocation) => {
            const { name } = capability
            return Effect.flatMap(
              arrivals.of({ capability: name, source: invocation.sessionId, arguments: input }),
              (arrival) => {
                const ownRun = (error: KruxosError) => {
                  if (own === undefined) return Effect.fail(error)
                  const carriedOut = Effect.flatMap(own.prepare(input), (prepared) => prepared(invocation))
                  const taken = passing.get(error)
                  return taken === undefined
                    ? carriedOut
                    : perform.passThrough({ taken, arrival, invocation }, carriedOut)
                }
                return arrivals.during(
                  arrival,
                  Effect.catchIf(run(invocation), (error) => passing.has(error), ownRun)
                )
              }
            )
          })
      }
    },
    reserve: (capability, input, arrival) => {
      const decoded = Schema.decodeUnknownEither(capability.handlerInputSchema)(input)
      if (Either.isLeft(decoded) || arrival === undefined) return keepsOwn(capability.name) ? "own" : "script"
      const found = find(capability.name, decoded.right)
      arrival.reserved = found
      return isOwn(capability, found) ? "own" : "script"
    },
    release: (arrival) => {
      const found = arrival?.reserved
      if (arrival === undefined || found === undefined) return
      arrival.reserved = undefined
      if (found !== "own" && found._tag === "Taken") found.giveBack(found.step)
    }
  }
}
