import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Approvals, Capabilities, State, Transaction } from "kruxos"
import type { Call, Program, Step } from "./differentialPrograms.js"

type Services = Approvals | Capabilities | State | Transaction

const invoke = ({ idempotencyKey, input, name }: Call) =>
  Effect.flatMap(Capabilities, ({ invokeDynamic }) => invokeDynamic(name, input, { idempotencyKey }))

const all: ReadonlyArray<Call> = [
  { do: "call", name: "filesystem.search", input: { path: "/workspace", pattern: "**/*", include_hash: true } },
  { do: "call", name: "state.session.list", input: {} },
  { do: "call", name: "state.persistent.query", input: { prefix: "" } },
  ...["one", "two", "two.more"].flatMap((key): ReadonlyArray<Call> => [
    { do: "call", name: "state.session.get", input: { key } },
    { do: "call", name: "state.persistent.history", input: { key } },
    { do: "call", name: "state.shared.get", input: { key } }
  ]),
  { do: "call", name: "alerts.list", input: {} },
  { do: "call", name: "comms.receive", input: {} }
]

/** Runs a program; gives what came of each of its steps, in their order, and then of reading all that is left. */
export const run = ({ steps }: Program): Effect.Effect<ReadonlyArray<unknown>, never, Services> =>
  Effect.suspend(() => {
    const results: Array<unknown> = []

    const noted = <E>(self: Effect.Effect<unknown, E, Services>): Effect.Effect<unknown, E, Services> =>
      Effect.tapBoth(self, {
        onFailure: (failure) => Effect.sync(() => results.push({ failure })),
        onSuccess: (success) => Effect.sync(() => results.push({ success }))
      })

    const carryOut = (step: Step): Effect.Effect<unknown, unknown, Services> => {
      switch (step.do) {
        case "call":
          return noted(invoke(step))
        case "ask":
          return noted(
            Effect.catchIf(
              invoke(step.call),
              (error) => error._tag === "ApprovalRequired",
              (handle) => Effect.flatMap(Approvals, (approvals) => approvals.wait(handle))
            )
          )
        case "update":
          return noted(
            Effect.flatMap(
              State,
              ({ shared }) =>
                step.hasInitial
                  ? shared.update(step.key, Schema.Unknown, (value) => [value], { initial: 0 })
                  : shared.update(step.key, Schema.Unknown, (value) => [value])
            )
          )
        case "outcome":
          return noted(Effect.flatMap(Capabilities, ({ outcome }) => outcome(step.idempotencyKey)))
        case "awaiting":
          return noted(
            Approvals.awaitApproval()(Effect.forEach(step.steps, (each) => Effect.either(carryOut(each))))
          )
        case "transaction": {
          const { failsAfter = step.steps.length, isStrict, steps } = step
          const body = Effect.forEach(steps.slice(0, failsAfter), (each) => {
            const one = carryOut(each)
            return isStrict ? one : Effect.ignore(one)
          }, { discard: true })
          return noted(Transaction.run(
            step.failsAfter === undefined ? body : Effect.zipRight(body, Effect.fail("the program's own failure"))
          ))
        }
      }
    }

    return Effect.forEach([...steps, ...all], (step) => Effect.ignore(carryOut(step)), { discard: true }).pipe(
      Effect.as(results)
    )
  })
