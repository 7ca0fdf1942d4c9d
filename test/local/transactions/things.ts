import * as Effect from "effect/Effect"
import { ServiceUnavailable } from "../../../src/errors/general.js"
import type { Arguments } from "../../../src/local/recovery/EffectCheck.js"
import type { Undo } from "../../../src/local/transactions/Undo.js"
import { until } from "../../support/deadline.js"
import { at } from "../../support/json.js"
import type { RawSocket } from "../../support/rawSocket.js"
import type { CustomOptions } from "../protocol/customGateway.js"

/** What `test.run` changes here, and how that is undone. */
export interface Things {
  readonly values: Map<string, string>
  /** What has been undone, in that order, and what was released. */
  readonly undone: Array<string>
  readonly released: Array<string>
  /** Lets go on what waits under a name. */
  readonly open: (name: string) => Effect.Effect<void>
  /** Waits until something waits under a name. */
  readonly waiting: (name: string) => Effect.Effect<void>
  /** What is to happen while something of that name is undone; by default nothing. */
  readonly whileUndoing: Map<string, Effect.Effect<void>>
  readonly options: Pick<CustomOptions, "run" | "undos" | "sideEffects">
}

const parse = (text: string) => {
  const [, way = "", name = "", value = ""] = /^(?:(\w+) )?(\w+)=(\w*)$/.exec(text) ?? []
  return { way, name, value }
}

const textOf = ({ text }: Arguments) => parse(typeof text === "string" ? text : "")

/**
 * Things that `test.run` sets: `name=value`, or `before name=value` and `after name=value`, which wait before or after they do, or
 * `fails name=value` and `failed name=value`, which fail before or after.
 */
export const makeThings = (): Things => {
  const values = new Map<string, string>()
  const undone: Array<string> = []
  const released: Array<string> = []
  const gates = new Map<string, () => void>()
  const whileUndoing = new Map<string, Effect.Effect<void>>()
  const gate = (name: string) =>
    Effect.async<void>((resume) => {
      gates.set(name, () => resume(Effect.void))
      return Effect.sync(() => gates.delete(name))
    })
  const failure = Effect.fail(new ServiceUnavailable({ message: "it fails", service: "test", retryable: false }))
  const nameOf = (before: unknown) => String(at(before, "name"))
  const undo: Undo = {
    before: (input) =>
      Effect.sync(() => {
        const { name } = textOf(input)
        return { name, was: values.get(name) ?? null }
      }),
    after: (input) => Effect.sync(() => ({ value: textOf(input).value })),
    found: (input, before) =>
      Effect.sync(() => {
        const { name, value } = textOf(input)
        if (values.get(name) === value) return { _tag: "Done", after: { value } }
        return (values.get(name) ?? null) === at(before, "was")
          ? { _tag: "NotDone" }
          : { _tag: "Conflict", resource: name }
      }),
    undo: (_input, before, after) =>
      Effect.suspend(() => {
        const name = nameOf(before)
        const was = at(before, "was")
        return Effect.map(whileUndoing.get(name) ?? Effect.void, () => {
          // It was cut off before that was noted.
          if ((values.get(name) ?? null) === was) return { _tag: "Undone" as const }
          if (values.get(name) !== at(after, "value")) {
            return { _tag: "Conflict" as const, resource: name, savedAs: `saved/${name}` }
          }
          undone.push(`${name}=${values.get(name)}`)
          if (typeof was === "string") values.set(name, was)
          else values.delete(name)
          return { _tag: "Undone" as const }
        })
      }),
    release: (before) => Effect.sync(() => void released.push(nameOf(before))),
    alone: (_input, _context, effect) => effect
  }
  const run = (text: string) =>
    Effect.gen(function*() {
      const { name, value, way } = parse(text)
      if (way === "before") yield* gate(name)
      if (way === "fails") return yield* failure
      values.set(name, value)
      if (way === "after") yield* gate(name)
      if (way === "failed") return yield* failure
      return text
    })
  return {
    values,
    undone,
    released,
    whileUndoing,
    open: (name) => Effect.sync(() => gates.get(name)?.()),
    waiting: (name) => until(`${name} to wait`, Effect.sync(() => gates.has(name))),
    options: { run, undos: new Map([["test.run", undo]]), sideEffects: ["reversible"] }
  }
}

/** Begins a transaction, and says its id. */
export const begin = (socket: RawSocket, params: object = {}) =>
  Effect.map(socket.call("transaction.begin", params), (answer) => {
    const id = at(answer, "result", "transaction_id")
    if (typeof id !== "string") throw new Error(`It was not begun: ${JSON.stringify(answer)}`)
    return id
  })

/** What a step is asked for with. */
export const step = (transaction_id: string, text: string, more: object = {}) => ({
  capability: "test.run",
  arguments: { text },
  transaction_id,
  ...more
})

/** Makes a step, and gives its result. */
export const take = (socket: RawSocket, transaction: string, text: string, more: object = {}) =>
  Effect.map(
    socket.call("capabilities.invoke", step(transaction, text, more)),
    (answer) => at(answer, "result")
  )

/** Commits or rolls back, and gives the result, or the error of the answer. */
export const end = (socket: RawSocket, how: "commit" | "rollback", transaction_id: string) =>
  Effect.map(
    socket.call(`transaction.${how}`, { transaction_id }),
    (answer) => at(answer, "result") ?? at(answer, "error", "data")
  )
