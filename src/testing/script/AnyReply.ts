import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Invocation } from "../../local/capabilities/Handler.js"
import { handle, type Reply, type Step, succeed } from "../Reply.js"

/** A step of a reply whose capability is known only at run time: what comes of it is checked when it has come. */
export type AnyStep = Step<unknown, unknown, unknown>

/** A reply whose capability is known only at run time. */
export type AnyReply = Reply<unknown, unknown, unknown>

const isReply = (script: unknown): script is AnyReply =>
  Predicate.hasProperty(script, "_tag") && script._tag === "kruxos/testing/Reply"

const isHandler = (script: unknown): script is (input: unknown, invocation: Invocation) => unknown =>
  typeof script === "function"

/** A handler did not return an Effect, which nothing but untyped code can do. */
export class NoEffect {
  readonly _tag = "NoEffect"
  readonly returned: unknown
  constructor(returned: unknown) {
    this.returned = returned
  }
}

/** A handler died: an assertion in it, most likely. */
export class Died {
  readonly _tag = "Died"
  readonly defect: unknown
  constructor(defect: unknown) {
    this.defect = defect
  }
}

const isEffect = (value: unknown): value is Effect.Effect<unknown, unknown> => Effect.isEffect(value)

/** What a script says as a reply: a function is a handler, and whatever else is no reply is an output. */
export const anyReplyOf = (script: unknown): AnyReply => {
  if (isReply(script)) return script
  if (!isHandler(script)) return succeed(script)
  return handle((input: unknown, invocation) => {
    const made = script(input, invocation)
    return isEffect(made) ? made : Effect.fail(new NoEffect(made))
  })
}
