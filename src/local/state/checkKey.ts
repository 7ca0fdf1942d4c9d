import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { InvalidInput } from "../../errors/general.js"

/** How many bytes a key may have, as UTF-8. */
export const mostKeyBytes = 512

/** How many bytes a value may have, as JSON. */
export const mostValueBytes = 1024 * 1024

const noText = /[\p{Cc}\p{Cs}]/u

const refused = (field: string, reason: string) => new InvalidInput({ message: `${field} ${reason}`, field, reason })

const problemOf = (text: string): string | undefined => {
  if (text.length > mostKeyBytes || Buffer.byteLength(text) > mostKeyBytes) return `has more than ${mostKeyBytes} bytes`
  return noText.test(text) ? "has control characters, or half a character" : undefined
}

/** A key has 1 to 512 bytes, and no control characters. */
export const checkKey = (key: string): Effect.Effect<void, InvalidInput> => {
  const problem = key === "" ? "is empty" : problemOf(key)
  return problem === undefined ? Effect.void : refused("key", problem)
}

/** A prefix is what a key can begin with: it may be empty, or left out. */
export const checkPrefix = (prefix = ""): Effect.Effect<string, InvalidInput> => {
  const problem = problemOf(prefix)
  return problem === undefined ? Effect.succeed(prefix) : refused("prefix", problem)
}

/** The JSON text of a value, which has at most 1 MiB. */
export const textOfValue = (value: unknown): Effect.Effect<string, InvalidInput> =>
  Effect.suspend(() => {
    const text = JSON.stringify(value)
    if (text === undefined) return refused("value", "is no JSON")
    const bytes = text.length > mostValueBytes ? text.length : Buffer.byteLength(text)
    return bytes > mostValueBytes
      ? refused("value", `has ${bytes} bytes as JSON, more than the ${mostValueBytes} that a value may have`)
      : Effect.succeed(text)
  })
