import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { isLoopback } from "../../connection/endpoint.js"
import * as Announcement from "../../local/data/announcement.js"
import * as DataDirectory from "../../local/data/DataDirectory.js"
import { RefusalView } from "../../local/supervisor/ApprovalView.js"
import { urlOf } from "../../local/urlOf.js"
import { type CommandFailed, failed, usageFailed } from "../exit.js"
import { explainLocal, systemReason } from "../localFailure.js"
import { dataDirectory } from "../options.js"
import { oneLine } from "../text.js"

/** The options that say which gateway is meant. */
export const whichGateway = {
  data: dataDirectory,
  url: Options.text("url").pipe(
    Options.withPseudoName("URL"),
    Options.withDescription("The gateway, such as http://localhost:7700, instead of the one that serves the data."),
    Options.optional
  ),
  tokenFile: Options.text("token-file").pipe(
    Options.withPseudoName("FILE"),
    Options.withDescription("A file with the supervisor's token of the gateway at --url."),
    Options.optional
  )
}

/** The values of `whichGateway`. */
export interface WhichGateway {
  readonly data: string
  readonly url: Option.Option<string>
  readonly tokenFile: Option.Option<string>
}

/** A gateway and the token of its supervisor. */
export interface Target {
  readonly api: string
  readonly token: Redacted.Redacted<string>
}

const apiOf = (text: string) =>
  Effect.gen(function*() {
    const url = /^https?:\/\//i.test(text) ? urlOf(text) : undefined
    if (url === undefined || url.username !== "" || url.password !== "") {
      return yield* usageFailed("--url takes an http or https URL, such as http://localhost:7700")
    }
    if (url.protocol === "http:" && !isLoopback(url.hostname)) {
      yield* Effect.logWarning("The supervisor's token travels unencrypted to another machine: use https")
    }
    return `${url.origin}${url.pathname === "/" ? "/api" : url.pathname.replace(/\/+$/, "")}`
  })

const readToken = (file: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(
      files.readFileString(file),
      (cause) => failed(oneLine(`The token cannot be read from ${file}${systemReason(cause)}`))
    )
    return Redacted.make(text.trim())
  })

const servedBy = (directory: string) =>
  Effect.gen(function*() {
    const data = yield* Effect.mapError(DataDirectory.openExisting(directory), explainLocal)
    const api = yield* Effect.mapError(Announcement.find(data), explainLocal)
    const token = yield* Effect.mapError(data.readSupervisorToken, explainLocal)
    if (Option.isNone(api) || Option.isNone(token)) {
      return yield* failed(oneLine(
        `No gateway serves the data in ${data.path} now: start one with \`kruxos gateway\`, or name one with --url and `
          + "--token-file"
      ))
    }
    return { api: api.value, token: token.value }
  })

/** The gateway that the options name. */
export const find = ({ data, tokenFile, url }: WhichGateway) =>
  Effect.gen(function*() {
    if (Option.isNone(url) && Option.isNone(tokenFile)) return yield* servedBy(data)
    if (Option.isNone(url) || Option.isNone(tokenFile)) {
      return yield* usageFailed("Either --url and --token-file, or neither: then the gateway is found by its data")
    }
    return { api: yield* apiOf(url.value), token: yield* readToken(tokenFile.value) }
  })

const decodeRefusal = Schema.decodeUnknownOption(Schema.parseJson(RefusalView))

const longestAnswer = "30 seconds"

// What fetch itself says is only that it has failed.
const causeOf = (cause: unknown) => cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause

/** That a gateway cannot be reached. */
export const unreachable = (api: string, cause: unknown): CommandFailed =>
  failed(oneLine(`The gateway at ${api} does not answer${systemReason(causeOf(cause))}`))

/** That the connection to a gateway broke off. */
export const lost = (api: string, cause: unknown): CommandFailed =>
  failed(oneLine(`The gateway at ${api} is lost${systemReason(causeOf(cause))}`))

/** Makes one attempt to ask a gateway, of which all has to come within 30 seconds. */
export const within30Seconds =
  ({ api }: Target) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | CommandFailed, R> =>
    Effect.timeoutFail(self, {
      duration: longestAnswer,
      onTimeout: () => failed(`The gateway at ${api} has not answered within ${longestAnswer}`)
    })

/** The options of `fetch` with which a gateway is asked. */
export const requestOf = ({ token }: Target, headers: { readonly [name: string]: string } = {}): RequestInit => ({
  // The token is for this gateway.
  redirect: "error",
  headers: { authorization: `Bearer ${Redacted.value(token)}`, ...headers }
})

/** Why a gateway refuses, from the status and the text of its answer. */
export const refusal = ({ api }: Target, status: number, text: string): CommandFailed => {
  const said = Option.map(decodeRefusal(text), ({ error }) => error)
  return failed(oneLine(Option.getOrElse(said, () => `The gateway at ${api} answered with status ${status}`)))
}

const ask = <A, I>(target: Target, path: string, view: Schema.Schema<A, I>, init: RequestInit) =>
  Effect.gen(function*() {
    const { ok, status, text } = yield* Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(`${target.api}${path}`, { ...init, signal })
        return { ok: response.ok, status: response.status, text: await response.text() }
      },
      catch: (cause) => unreachable(target.api, cause)
    }).pipe(within30Seconds(target))
    if (!ok) return yield* refusal(target, status, text)
    return yield* Effect.mapError(
      // A later gateway may say more, which JSON output shows.
      Schema.decodeUnknown(Schema.parseJson(view), { onExcessProperty: "preserve" })(text),
      () => failed(oneLine(`What ${target.api} answers is not understood: is it a gateway of this version?`))
    )
  })

/** What a gateway shows its supervisor below `/api`. */
export const get = <A, I>(target: Target, path: string, view: Schema.Schema<A, I>): Effect.Effect<A, CommandFailed> =>
  ask(target, path, view, requestOf(target))

/** Has a gateway do something, and gives what it shows then. */
export const post = <A, I>(
  target: Target,
  path: string,
  body: unknown,
  view: Schema.Schema<A, I>
): Effect.Effect<A, CommandFailed> =>
  ask(target, path, view, {
    ...requestOf(target, { "content-type": "application/json" }),
    method: "POST",
    body: JSON.stringify(body)
  })
