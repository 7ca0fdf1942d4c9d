import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Memory from "../../../src/connection/memory.js"
import { converse } from "../../../src/local/protocol/conversation.js"
import { requests } from "../corpus.js"
import { mutatedText } from "../mutate.js"
import { type Input, type Making, Wrong } from "../Target.js"
import { answeredId, flawOf, messagesOf, written } from "./expected.js"
import { gateway, renewed } from "./gateway.js"

/** What is waited for at a time. */
interface Waiting {
  /** The ids of the answers that have to come, as they are written, with their number. */
  readonly missing: Map<string, number>
  /** The ids of the answers that may be missing: their requests were cancelled. */
  readonly cancelled: ReadonlySet<string>
  readonly done: Deferred.Deferred<void, Wrong>
}

const add = (numbers: Map<string, number>, id: string, number: number) => {
  const sum = (numbers.get(id) ?? 0) + number
  if (sum === 0) numbers.delete(id)
  else numbers.set(id, sum)
}

const cancelledBy = (texts: Input): ReadonlyArray<string> =>
  texts.flatMap(messagesOf).flatMap((message) =>
    message._tag === "Notification" && Predicate.isRecord(message.params) && "requestId" in message.params
      ? [written(message.params["requestId"])]
      : []
  )

// A frame of several messages is refused as a whole.
const expectedOf = (text: string): string | undefined => {
  const messages = messagesOf(text)
  const [only] = messages
  return messages.length === 1 && only !== undefined && !text.trimStart().startsWith("[") ? answeredId(only) : "null"
}

const conversation = Effect.gen(function*() {
  const { agent, services } = yield* gateway
  const [client, server] = Memory.makePair()
  let waiting: Waiting | undefined
  // The answers that may still come to requests that were cancelled too late.
  const late = new Map<string, number>()
  let closed: string | undefined
  const settle = (exit: Exit.Exit<void, Wrong>) => {
    if (waiting !== undefined) Deferred.unsafeDone(waiting.done, exit)
  }
  const wrong = (message: string) => settle(Exit.fail(new Wrong({ message })))
  const settleIfComplete = ({ cancelled, missing }: Waiting) => {
    if ([...missing.keys()].every((id) => cancelled.has(id))) settle(Exit.void)
  }
  client.listen({
    onText: (text) => {
      const answer: unknown = JSON.parse(text)
      // What comes between two inputs is late, too, and not looked at.
      if (waiting === undefined || (Predicate.isRecord(answer) && "method" in answer)) return
      const flaw = flawOf(answer)
      if (flaw !== undefined) return wrong(`The answer is ${flaw}: ${text.slice(0, 1000)}`)
      const id = written(Predicate.isRecord(answer) ? answer["id"] : undefined)
      if (waiting.missing.has(id)) add(waiting.missing, id, -1)
      else if (late.has(id)) add(late, id, -1)
      else return wrong(`Nobody asked for this: ${text.slice(0, 1000)}`)
      settleIfComplete(waiting)
    },
    onBinary: () => wrong("A binary frame came"),
    onPong: () => {},
    onClose: ({ code, reason }) => {
      closed = `The connection was closed: ${code} ${reason}`
      wrong(closed)
    }
  })
  yield* Effect.forkScoped(Effect.provide(converse(server, agent, "memory"), services))

  let count = 0
  const ask = (texts: Input): Effect.Effect<void, Wrong> =>
    Effect.gen(function*() {
      if (closed !== undefined) return yield* new Wrong({ message: closed })
      const ping = `ping-${++count}`
      const missing = new Map<string, number>()
      for (const text of texts) {
        const id = expectedOf(text)
        if (id !== undefined) add(missing, id, 1)
      }
      add(missing, written(ping), 1)
      const asked: Waiting = {
        missing,
        cancelled: new Set(cancelledBy(texts)),
        done: yield* Deferred.make<void, Wrong>()
      }
      waiting = asked
      for (const text of texts) client.send(text)
      client.send(JSON.stringify({ jsonrpc: "2.0", id: ping, method: "ping" }))
      yield* Deferred.await(asked.done)
    }).pipe(Effect.ensuring(Effect.sync(() => {
      for (const [id, number] of waiting?.missing ?? []) add(late, id, number)
      waiting = undefined
    })))
  yield* Effect.orDie(ask([
    JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: { protocolVersion: "2025-06-18" } })
  ]))
  return ask
})

/** The gateway's method table, over a conversation in memory. */
export const methods: Making = {
  name: "methods",
  make: Effect.map(renewed(conversation, 500), ({ prepare, use }) => ({
    generate: (chance) => Array.from({ length: chance.oneOf([1, 1, 1, 2, 4]) }, () => mutatedText(chance, requests)),
    prepare,
    check: (input) => use((ask) => ask(input))
  }))
}
