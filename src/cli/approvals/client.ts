import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { isLoopback } from "../../connection/endpoint.js"
import * as Announcement from "../../local/data/announcement.js"
import * as DataDirectory from "../../local/data/DataDirectory.js"
import { ApprovalList, ApprovalView, RefusalView } from "../../local/supervisor/ApprovalView.js"
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
    const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
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

const decodeView = Schema.decodeUnknown(Schema.parseJson(ApprovalView))

const decodeList = Schema.decodeUnknown(Schema.parseJson(ApprovalList))

const longestAnswer = "30 seconds"

const ask = ({ api, token }: Target, method: "GET" | "POST", path: string, body?: unknown) =>
  Effect.gen(function*() {
    const { ok, status, text } = yield* Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(`${api}${path}`, {
          method,
          signal,
          // The token is for this gateway.
          redirect: "error",
          headers: { authorization: `Bearer ${Redacted.value(token)}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        return { ok: response.ok, status: response.status, text: await response.text() }
      },
      catch: (cause) => failed(oneLine(`The gateway at ${api} does not answer${systemReason(causeOf(cause))}`))
    }).pipe(
      Effect.timeoutFail({
        duration: longestAnswer,
        onTimeout: () => failed(`The gateway at ${api} has not answered within ${longestAnswer}`)
      })
    )
    if (ok) return text
    const said = Option.map(decodeRefusal(text), ({ error }) => error)
    return yield* failed(oneLine(Option.getOrElse(said, () => `The gateway at ${api} answered with status ${status}`)))
  })

// What fetch itself says is only that it has failed.
const causeOf = (cause: unknown) => cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause

const read = <A>(
  target: Target,
  decode: (text: string) => Effect.Effect<A, unknown>,
  asked: Effect.Effect<string, CommandFailed>
): Effect.Effect<A, CommandFailed> =>
  Effect.flatMap(asked, (text) =>
    Effect.mapError(
      decode(text),
      () => failed(`What ${target.api} answers is not understood: is it a gateway of this version?`)
    ))

/** Requests for approval, the newest first. */
export const list = (target: Target, filter: { readonly status?: string; readonly limit: number }) => {
  const query = new URLSearchParams({
    limit: String(filter.limit),
    ...(filter.status === undefined ? {} : { status: filter.status })
  })
  return read(target, decodeList, ask(target, "GET", `/approvals?${query}`))
}

export const get = (target: Target, id: string) =>
  read(target, decodeView, ask(target, "GET", `/approvals/${encodeURIComponent(id)}`))

export const decide = (target: Target, id: string, verdict: "approve" | "reject", reason?: string) =>
  read(target, decodeView, ask(target, "POST", `/approvals/${encodeURIComponent(id)}/${verdict}`, { reason }))
