import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** What `capabilities.invoke` answers, and the store keeps. */
export const Result = Schema.Union(
  Schema.Struct({ success: Schema.Literal(true), data: Schema.optional(Schema.Unknown) }),
  Schema.Struct({ success: Schema.Literal(false), error: Schema.Unknown })
)

const decode = Schema.decodeUnknownOption(Result)

/** A result that was kept; undefined where it is none. */
export const readResult = (kept: unknown): typeof Result.Type | undefined => Option.getOrUndefined(decode(kept))
