import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { EffectCheck } from "../../local/recovery/EffectCheck.js"
import type { Undo } from "../../local/transactions/Undo.js"
import type { Answering } from "./answering.js"
import type { Arrivals } from "./Arrivals.js"

// What is noted before a handler begins: the invocation that the script answers, or what the gateway's own way notes.
const Noted = Schema.Struct({ scripted: Schema.optional(Schema.Number), own: Schema.optional(Schema.Unknown) })

type Begun = typeof Noted.Type

const read = Schema.decodeUnknownOption(Noted)

const nobody = -1

/** Makes how scripted capabilities are undone, and how it is found out what they have done. */
export const make = (arrivals: Arrivals, answering: Answering) => {
  const begin = <A, E>(
    capability: AnyCapability,
    input: { readonly [name: string]: unknown },
    source: string,
    own: Effect.Effect<A, E> | undefined
  ): Effect.Effect<Begun, E> =>
    Effect.flatMap(
      arrivals.of({ capability: capability.name, source, arguments: input }),
      (arrival): Effect.Effect<Begun, E> =>
        answering.reserve(capability, input, arrival) === "own" && own !== undefined
          ? Effect.map(own, (noted) => ({ own: noted ?? null }))
          : Effect.succeed({ scripted: arrival?.number ?? nobody })
    )

  // Whose step it is: the gateway's own, with what was noted for it, or that of an invocation which the script answered.
  const apart = (before: unknown) => {
    const { own, scripted } = Option.getOrElse(read(before), (): Begun => ({}))
    return { noted: own, isOwn: scripted === undefined, arrival: arrivals.byNumber(scripted ?? nobody) }
  }

  const undoOf = (capability: AnyCapability, own: Undo | undefined): Undo => ({
    before: (input, context) => begin(capability, input, context.source, own?.before(input, context)),
    after: (input, before, output, context) => {
      const { isOwn, noted } = apart(before)
      return isOwn && own !== undefined ? own.after(input, noted, output, context) : Effect.succeed(null)
    },
    found: (input, before, context) => {
      const { arrival, isOwn, noted } = apart(before)
      if (isOwn && own !== undefined) return own.found(input, noted, context)
      return Effect.succeed(arrival?.output === undefined ? { _tag: "NotDone" } : { _tag: "Done", after: null })
    },
    undo: (input, before, after, context) => {
      const { arrival, isOwn, noted } = apart(before)
      if (isOwn && own !== undefined) return own.undo(input, noted, after, context)
      return Effect.sync(() => {
        if (arrival !== undefined) arrival.isRolledBack = true
        return { _tag: "Undone" }
      })
    },
    release: (before, context) => {
      const { arrival, isOwn, noted } = apart(before)
      return isOwn && own !== undefined
        ? own.release(noted, context)
        : Effect.sync(() => answering.release(arrival))
    },
    alone: (input, context, effect) => own === undefined ? effect : own.alone(input, context, effect)
  })

  const checkOf = (capability: AnyCapability, own: EffectCheck): EffectCheck => ({
    before: (input, context) => begin(capability, input, context.source, own.before(input, context)),
    kept: own.kept,
    after: (input, before, context) => {
      const { arrival, isOwn, noted } = apart(before)
      if (isOwn) return own.after(input, noted, context)
      return Effect.succeed(
        arrival?.output === undefined ? { _tag: "NotDone" } : { _tag: "Done", output: arrival.output.value }
      )
    },
    alone: own.alone
  })

  return { undoOf, checkOf }
}
