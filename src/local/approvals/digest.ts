import canonicalize from "canonicalize"
import * as Either from "effect/Either"
import { createHash } from "node:crypto"
import { InvalidInput } from "../../errors/general.js"

/** What a human approves, or a key stands for: exactly these arguments, by the SHA-256 of their canonical JSON (RFC 8785). */
export const digestOf = (input: unknown): Either.Either<string, InvalidInput> =>
  Either.try({
    try: () => createHash("sha256").update(canonicalize(input) ?? "").digest("hex"),
    // Neither half a character nor a number without end has a form that all agree on.
    catch: (cause) =>
      new InvalidInput({ message: "The arguments hold text or a number that cannot be written as JSON", cause })
  })
