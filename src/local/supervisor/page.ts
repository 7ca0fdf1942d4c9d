import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import type { IncomingMessage } from "node:http"
import { fileURLToPath } from "node:url"
import type { Answer } from "./Route.js"
import { asksForThis, comesFromHere } from "./sameSite.js"

/** Where the page is when the package is built: the same from the sources as from what they are compiled to. */
export const builtPage = fileURLToPath(new URL("../../../build/page/", import.meta.url))

const files: ReadonlyArray<readonly [pathname: string, file: string, contentType: string]> = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/icon.svg", "icon.svg", "image/svg+xml"]
]

const paths = new Set(files.map(([pathname]) => pathname))

// What the page shows was written by agents: nothing but its own files may run in it, and nothing may frame it.
const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()"
}

const text = (status: number, message: string, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.text(`${message}\n`, {
    status,
    contentType: "text/plain; charset=utf-8",
    headers: { ...securityHeaders, "cache-control": "no-store", ...headers }
  })

const onlyRead = text(405, "This answers GET and HEAD", { allow: "GET, HEAD" })

const notUnderThisName = text(403, "The gateway is asked for by its own name only, and by no other website")

const notBuilt = text(503, "The page is not built: run `npm run build:page` in the package kruxos")

/** The page is not where it should be. */
class PageMissing extends Data.TaggedError("PageMissing")<{ readonly cause: unknown }> {}

interface File {
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly tag: string
}

const load = (directory: string) =>
  Effect.forEach(files, ([pathname, name, contentType]) =>
    Effect.map(
      Effect.tryPromise({ try: () => readFile(`${directory}/${name}`), catch: (cause) => new PageMissing({ cause }) }),
      (bytes): readonly [string, File] => [
        pathname,
        { bytes, contentType, tag: `"${createHash("sha256").update(bytes).digest("base64url")}"` }
      ]
    )).pipe(Effect.map((loaded) => new Map(loaded)))

const isAsked = (wanted: string | undefined, tag: string) =>
  (wanted ?? "").split(",").some((one) => one.trim().replace(/^W\//, "") === tag || one.trim() === "*")

const answer = ({ bytes, contentType, tag }: File, { headers }: IncomingMessage): Answer => {
  const common = { ...securityHeaders, "cache-control": "no-cache", etag: tag }
  return isAsked(headers["if-none-match"], tag)
    ? HttpServerResponse.empty({ status: 304, headers: common })
    : HttpServerResponse.uint8Array(bytes, { contentType, headers: common })
}

/** Whether a path is one of the page's. */
export const isFor = (pathname: string): boolean => paths.has(pathname)

/**
 * Makes what answers with the page's own files, to anybody who asks the gateway by a name of its own: they hold no secret. They are read once, all
 * of them, when the first is asked for; as long as they are not there the answer is 503.
 */
export const make = (listensOn: string, directory: string) => {
  let read: ReadonlyMap<string, File> | undefined
  const all = Effect.suspend(() =>
    read === undefined
      ? Effect.tap(load(directory), (loaded) =>
        Effect.sync(() => {
          read = loaded
        }))
      : Effect.succeed(read)
  )
  return (request: IncomingMessage, pathname: string): Effect.Effect<Answer> => {
    if (!asksForThis(request, listensOn) || !comesFromHere(request)) return Effect.succeed(notUnderThisName)
    if (request.method !== "GET" && request.method !== "HEAD") return Effect.succeed(onlyRead)
    return all.pipe(
      Effect.map((loaded) => {
        const file = loaded.get(pathname)
        return file === undefined ? notBuilt : answer(file, request)
      }),
      Effect.catchTag(
        "PageMissing",
        ({ cause }) => Effect.as(Effect.logDebug("The page cannot be read", cause), notBuilt)
      )
    )
  }
}
