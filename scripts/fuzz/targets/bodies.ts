import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Rpc from "../../../src/local/protocol/rpc.js"
import { requests } from "../corpus.js"
import { mutatedText } from "../mutate.js"
import { type Input, type Making, Wrong } from "../Target.js"
import { answeredId, flawOf, messagesOf, written } from "./expected.js"
import { gateway, renewed } from "./gateway.js"

const ping = JSON.stringify({ jsonrpc: "2.0", id: "ping", method: "ping" })

const wrong = (message: string) => Effect.fail(new Wrong({ message }))

const idOf = (answer: unknown) => written(Predicate.isRecord(answer) ? answer["id"] : undefined)

const checkAnswer = (body: string, answer: string | undefined): Effect.Effect<void, Wrong> => {
  const expected = messagesOf(body).flatMap((message) => answeredId(message) ?? [])
  if (answer === undefined) {
    return expected.length === 0 ? Effect.void : wrong(`There is no answer to ${expected.join()}`)
  }
  const parsed: unknown = JSON.parse(answer)
  const answers: ReadonlyArray<unknown> = Array.isArray(parsed) ? parsed : [parsed]
  const flaw = answers.map(flawOf).find((found) => found !== undefined)
  if (flaw !== undefined) return wrong(`The answer is ${flaw}: ${answer.slice(0, 1000)}`)
  const ids = answers.map(idOf)
  // A batch that is too long is refused as a whole.
  if (expected.length > 1000 && ids.join() === "null") return Effect.void
  return ids.join() === expected.join() ? Effect.void : wrong(`Instead of ${expected.join()} came ${ids.join()}`)
}

const poster = Effect.gen(function*() {
  const { agent, services } = yield* gateway
  const answer = yield* Effect.provide(Rpc.make, services)
  return ([body = ""]: Input) =>
    Effect.gen(function*() {
      yield* checkAnswer(body, yield* answer(agent, body))
      yield* checkAnswer(ping, yield* answer(agent, ping))
    })
})

const batchOf = (texts: ReadonlyArray<string>) => `[${texts.join(",")}]`

/** Bodies that are posted to `/rpc`, batches among them. */
export const bodies: Making = {
  name: "bodies",
  make: Effect.map(renewed(poster, 500), ({ prepare, use }) => ({
    generate: (chance) => {
      if (chance.happens(0.002)) return [batchOf(Array.from({ length: 1001 }, () => ping))]
      return chance.happens(0.4)
        ? [batchOf(Array.from({ length: chance.below(7) }, () => mutatedText(chance, requests)))]
        : [mutatedText(chance, requests)]
    },
    prepare,
    check: (input) => use((post) => post(input))
  }))
}
