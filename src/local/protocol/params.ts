import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { RpcCode } from "../../errors/wire.js"
import { isDeeper } from "../../schema/nesting.js"
import { invalidMessage, type Refusal } from "./Refusal.js"

// What walks params by recursion never meets more.
const maximumDepth = 128

const longestMessage = 1000

const refuse = (reason: string) =>
  Either.left(
    invalidMessage(RpcCode.invalidParams, `The params are not valid: ${reason.slice(0, longestMessage)}`)
  )

/** Makes the decoder of a method's params; absent ones are an empty object. */
export const decoder = <A, I>(schema: Schema.Schema<A, I>): (params: unknown) => Either.Either<A, Refusal> => {
  const decode = Schema.decodeUnknownEither(schema)
  return (params) =>
    isDeeper(params, maximumDepth)
      ? refuse(`they are nested deeper than ${maximumDepth} levels`)
      : Either.orElse(decode(params ?? {}), ({ message }) => refuse(message))
}
