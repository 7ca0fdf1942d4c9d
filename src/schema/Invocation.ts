import * as Schema from "effect/Schema"
import { RecoveryAction } from "./RecoveryAction.js"

/**
 * The guide's error of a failed invocation: its wire type, its message and what can be done about it.
 */
export const ErrorResponse = Schema.Struct({
  type: Schema.String,
  message: Schema.String,
  recovery: Schema.Array(RecoveryAction)
}).annotations({ identifier: "ErrorResponse" })
export type ErrorResponse = typeof ErrorResponse.Type

/**
 * The guide's result of an invocation: `success` with the `data`, or the `error`.
 */
export type InvocationResult<Data = unknown> =
  | { readonly success: true; readonly data: Data; readonly error?: never }
  | { readonly success: false; readonly data?: never; readonly error: ErrorResponse }

/** The schema of an {@link InvocationResult} whose data has the given schema. */
export const InvocationResult = <A, I, R>(data: Schema.Schema<A, I, R>) =>
  Schema.Union(
    Schema.Struct({ success: Schema.Literal(true), data }),
    Schema.Struct({ success: Schema.Literal(false), error: ErrorResponse })
  )
