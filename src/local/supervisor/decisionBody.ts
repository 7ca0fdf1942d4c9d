import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { IncomingMessage } from "node:http"
import { requestBody } from "../protocol/requestBody.js"

/** The body of a decision cannot be used. */
export class InvalidBody extends Data.TaggedError("InvalidBody")<{
  readonly status: 400 | 415
  readonly message: string
}> {}

/** How many bytes the body of a decision may have. */
export const maximumBytes = 65_536

/** What comes with a decision. */
const Decision = Schema.Struct({
  reason: Schema.optional(Schema.NullOr(Schema.String.pipe(Schema.maxLength(4000))))
})

// What is not understood could have been a condition: it is refused instead of left out.
const decode = Schema.decodeUnknown(Schema.parseJson(Decision), { onExcessProperty: "error" })

const isJson = (contentType: string | undefined) => /^application\/json *(;|$)/i.test((contentType ?? "").trim())

/** Reads the body of a decision, which may be empty. */
export const read = (request: IncomingMessage) =>
  Effect.gen(function*() {
    const text = yield* requestBody(request, maximumBytes)
    if (text.trim() === "") return {}
    if (!isJson(request.headers["content-type"])) {
      return yield* new InvalidBody({ status: 415, message: "The body is not declared as application/json" })
    }
    return yield* Effect.mapError(
      decode(text),
      () =>
        new InvalidBody({
          status: 400,
          message:
            "The body is a JSON object with nothing but `reason`, a text of at most 4000 characters, or it is empty"
        })
    )
  })
