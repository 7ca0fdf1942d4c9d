import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { inspect } from "node:util"
import { decodeFailure } from "../../../src/errors/decode.js"
import { encodeFailure } from "../../../src/errors/encode.js"
import { KruxosError } from "../../../src/errors/KruxosError.js"
import { wireFailureOf, wireFailureOfAny, wireFailureOfRpc, wireFailureOfText } from "../../../src/errors/wire.js"
import { errors } from "../corpus.js"
import { mutatedText } from "../mutate.js"
import { type Input, type Making, Wrong } from "../Target.js"

const tags: ReadonlySet<string> = new Set(KruxosError.members.map(({ _tag }) => _tag))

const flawOf = (error: KruxosError): string | undefined => {
  if (!tags.has(error._tag)) return `It became ${error._tag}`
  if (typeof error.message !== "string") return "The message is no text"
  if (!Array.isArray(error.recovery)) return "The recovery is no list"
  if (typeof error.retryable !== "boolean") return "It does not say whether it is retryable"
  const again = decodeFailure(wireFailureOfAny(encodeFailure(error)))
  return tags.has(again._tag) ? undefined : "It cannot be sent on"
}

const numberOr = (value: unknown, other: number) => typeof value === "number" ? value : other

const check = ([text = ""]: Input) =>
  Effect.suspend(() => {
    const value = Either.getOrElse(Either.try((): unknown => JSON.parse(text)), () => text)
    const code = Predicate.isRecord(value) ? numberOr(value["code"], text.length % 2 - 32_001) : -32_603
    const failures = [
      wireFailureOf(value),
      wireFailureOfAny(value),
      wireFailureOfText(text),
      wireFailureOfRpc({ code, message: "", data: value })
    ].flatMap((failure) =>
      failure === undefined ? [] : [decodeFailure(failure), decodeFailure(failure, "filesystem.read")]
    )
    inspect(failures[0])
    const flaw = failures.map(flawOf).find((found) => found !== undefined)
    return flaw === undefined ? Effect.void : Effect.fail(new Wrong({ message: flaw }))
  })

/** The decoder of errors. */
export const errorObjects: Making = {
  name: "errors",
  make: Effect.succeed({ generate: (chance) => [mutatedText(chance, errors)], prepare: Effect.void, check })
}
