import * as Schema from "effect/Schema"
import { RecoveryAction } from "../schema/RecoveryAction.js"

const withDefault = <A, I>(schema: Schema.Schema<A, I>, value: () => A) =>
  schema.pipe(Schema.propertySignature, Schema.withConstructorDefault(value))

/** Everything that went along with the failure and that no field of its own holds, by its wire name. */
const Context = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/**
 * The fields that every error of this package has.
 *
 * - `type`: the error type on the wire. It is the tag, except where several wire types share one class.
 * - `message`: what went wrong, for a human or a model.
 * - `recovery`: what can be done about it, best first.
 * - `retryable`: the same call may succeed later; `retryAfter` says when, if the gateway knows.
 * - `context`: details by their wire names.
 * - `capability`: the capability that failed, where there is one.
 * - `cause`: the lower error, where there is one.
 */
export const errorFields = (type: string, defaults: { readonly retryable: boolean }) => ({
  type: withDefault(Schema.String, () => type),
  message: Schema.String,
  recovery: withDefault(Schema.Array(RecoveryAction), () => []),
  retryable: withDefault(Schema.Boolean, () => defaults.retryable),
  retryAfter: Schema.optional(Schema.DurationFromMillis),
  context: withDefault(Context, () => ({})),
  capability: Schema.optional(Schema.String),
  cause: Schema.optional(Schema.Defect)
})

/**
 * Makes the base class of a tagged error that has {@link errorFields} and the given ones.
 */
export const taggedError = <Self>() =>
<Tag extends string, Fields extends Schema.Struct.Fields>(
  tag: Tag,
  fields: Fields,
  defaults: { readonly retryable: boolean } = { retryable: false }
) => Schema.TaggedError<Self>(`kruxos/errors/${tag}`)(tag, { ...errorFields(tag, defaults), ...fields })

/** A text field that is not always known. */
export const knownText = Schema.optional(Schema.String)

/** A number field that is not always known. */
export const knownNumber = Schema.optional(Schema.Number)
