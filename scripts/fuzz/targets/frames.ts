import * as Effect from "effect/Effect"
import { decodeFrame, type Message } from "../../../src/connection/jsonRpc.js"
import { requests } from "../corpus.js"
import { mutatedText } from "../mutate.js"
import { type Input, type Making, Wrong } from "../Target.js"

const batchOf = (texts: ReadonlyArray<string>) => `[${texts.join(",")}]`

const isId = (id: unknown) => typeof id === "string" || typeof id === "number"

const flawOf = (message: Message): string | undefined => {
  switch (message._tag) {
    case "Request":
      return isId(message.id) && typeof message.method === "string" ? undefined : "a request without an id or a method"
    case "Notification":
      return typeof message.method === "string" ? undefined : "a notification without a method"
    case "Success":
      return isId(message.id) ? undefined : "a result without an id"
    case "Failure":
    case "Invalid": {
      const { error, id } = message
      return (id === null || isId(id)) && typeof error.code === "number" && typeof error.message === "string"
        ? undefined
        : "an error without a code or a message"
    }
    default:
      return "no message"
  }
}

const check = ([text = ""]: Input) =>
  Effect.suspend(() => {
    const frame = decodeFrame(text)
    const messages = frame._tag === "Batch" ? frame.messages : [frame]
    const flaw = messages.length === 0 ? "an empty batch" : messages.map(flawOf).find((found) => found !== undefined)
    return flaw === undefined ? Effect.void : Effect.fail(new Wrong({ message: `It became ${flaw}` }))
  })

/** The decoder of frames. */
export const frames: Making = {
  name: "frames",
  make: Effect.succeed({
    generate: (chance) =>
      chance.happens(0.2)
        ? [batchOf(Array.from({ length: chance.below(5) }, () => mutatedText(chance, requests)))]
        : [mutatedText(chance, requests)],
    prepare: Effect.void,
    check
  })
}
