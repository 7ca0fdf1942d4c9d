import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { RefusalView } from "../../local/supervisor/ApprovalView.js"
import { type AskFailure, NotUnderstood, Refused, TokenRefused, Unreachable } from "./failures.js"

/** What goes with a request besides its path. */
export interface AskOptions {
  readonly method?: "GET" | "POST" | "DELETE"
  readonly body?: unknown
}

/** Asks the gateway that served this page, and decodes its answer. Fails with an `AskFailure`, at the latest after 20 seconds. */
export type Ask = <A, I>(
  schema: Schema.Schema<A, I>,
  path: string,
  options?: AskOptions
) => Effect.Effect<A, AskFailure>

const decodeRefusal = Schema.decodeUnknownOption(Schema.parseJson(RefusalView))

/** What the gateway says where it refuses. */
export const refusalText = (status: number, text: string): string =>
  Option.match(decodeRefusal(text), {
    onNone: () => `The gateway answered with status ${status}`,
    onSome: ({ error }) => error
  })

/** The failure that an answer of this status is; undefined where it is none. */
export const failureOf = (status: number, text: string): TokenRefused | Refused | undefined => {
  if (status >= 200 && status < 300) return undefined
  const message = refusalText(status, text)
  return status === 401 || status === 403 ? new TokenRefused({ message }) : new Refused({ status, message })
}

/** What every request carries: the token, and no cookie. */
export const requestOptions = (token: Redacted.Redacted<string>) => ({
  headers: { authorization: `Bearer ${Redacted.value(token)}` },
  credentials: "omit",
  cache: "no-store",
  redirect: "error"
} as const)

/** Makes what asks with this token. */
export const makeAsk = (token: Redacted.Redacted<string>): Ask => (schema, path, { body, method = "GET" } = {}) => {
  const decode = Schema.decodeUnknown(Schema.parseJson(schema))
  const common = requestOptions(token)
  return Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(path, {
        ...common,
        method,
        signal,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { ...common.headers, "content-type": "application/json" } })
      })
      return { status: response.status, text: await response.text() }
    },
    catch: (cause) => new Unreachable({ cause })
  }).pipe(
    Effect.timeoutFail({ duration: "20 seconds", onTimeout: () => new Unreachable({}) }),
    Effect.tap(({ status, text }) => failureOf(status, text) ?? Effect.void),
    Effect.flatMap(({ text }) => Effect.mapError(decode(text), (cause) => new NotUnderstood({ path, cause })))
  )
}
