import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createHash, type Hash } from "node:crypto"
import type * as network from "../../../catalogue/network.js"
import { ResourceExhausted } from "../../../errors/general.js"
import { ChecksumMismatch, DownloadFailed } from "../../../errors/network.js"
import type { Incoming, Outgoing } from "../../egress/exchange.js"
import { type HostRefused, NoAnswer } from "../../egress/failures.js"
import type { ResolverService } from "../../egress/Resolver.js"
import { checkHost, send, type SendOptions, shownUrl } from "../../egress/send.js"
import type { PolicyService } from "../../policy/Policy.js"
import { diskAsResource, parentAsInput } from "../filesystem/failures.js"
import type { Handler } from "../Handler.js"
import { domainNotAllowed, requestHeaders, requestUrl } from "./failures.js"

interface Limits {
  readonly bytes: number
  readonly silence: Duration.DurationInput
  readonly whole: Duration.DurationInput
}

const defaultLimits: Limits = { bytes: 1024 * 1024 * 1024, silence: "30 seconds", whole: "1 hour" }

/** How large a file may be, how long a host may say nothing, and how long all of it may take. */
export class DownloadLimits extends Context.Reference<DownloadLimits>()("kruxos/local/DownloadLimits", {
  defaultValue: () => defaultLimits
}) {}

const tooSlow = (what: string, limit: Duration.DurationInput) => () =>
  new NoAnswer({ reason: "timeout", message: `${what} ${Duration.format(limit)}`, sent: true })

const tooLarge = (limit: number) =>
  new ResourceExhausted({
    message: `The file is larger than ${limit} bytes, and was not kept`,
    resource: "download",
    limit
  })

const failed = (url: URL) => (error: NoAnswer) =>
  new DownloadFailed({
    message: error.message,
    url: shownUrl(url),
    retryable: error.reason !== "not_trusted" && error.reason !== "bad_redirect",
    context: { reason: error.reason },
    cause: error
  })

const noFile = ({ status, url }: Incoming) =>
  new DownloadFailed({
    message: `The host answered with status ${status} and not with the file`,
    url: shownUrl(url),
    retryable: status === 408 || status === 429 || status >= 500,
    context: { status_code: status }
  })

const checkSum = (expected: string | undefined, hash: Hash | undefined) => {
  const actual = hash?.digest("hex")
  return expected === undefined || actual === undefined || actual === expected.toLowerCase()
    ? Effect.void
    : Effect.fail(
      new ChecksumMismatch({
        message: "What the host sent has another checksum, and was not kept",
        expected: expected.toLowerCase(),
        actual
      })
    )
}

const get = (options: SendOptions, outgoing: Outgoing): Effect.Effect<
  Incoming,
  DownloadFailed | HostRefused | NoAnswer,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const { silence } = yield* DownloadLimits
    const patient = Effect.timeoutFail({ duration: silence, onTimeout: tooSlow("The host sent nothing for", silence) })
    const incoming = yield* patient(send(options, outgoing))
    if (incoming.status < 200 || incoming.status > 299) return yield* noFile(incoming)
    return { ...incoming, next: patient(incoming.next) }
  })

/**
 * Downloads a file of at most 1 GiB into the workspace, in one step: nothing is there, or what was there before, until it is complete
 * and has the expected checksum. A body that the host packs for the way (Content-Encoding) is kept as it comes. Its progress counts bytes.
 */
export const makeDownload =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof network.download> =>
  ({ expected_checksum, overwrite, path: givenPath, url: text }, { agent, progress, workspace }) =>
    Effect.gen(function*() {
      const limits = yield* DownloadLimits
      const url = yield* requestUrl(text)
      const path = yield* workspace.resolve(givenPath)
      const egress = policy.egress(agent)
      yield* checkHost(egress, url)
      const outgoing: Outgoing = { method: "GET", url, headers: yield* requestHeaders({}), body: undefined }
      const started = yield* Clock.currentTimeMillis

      const { checksum, size } = yield* workspace.fill(
        path,
        { overwrite },
        (append) =>
          Effect.scoped(Effect.gen(function*() {
            const { headers, next } = yield* get({ egress, resolver, followRedirects: true }, outgoing)
            const announced = Number(headers["content-length"] ?? Number.NaN)
            if (announced > limits.bytes) {
              return yield* tooLarge(limits.bytes)
            }
            const total = Number.isSafeInteger(announced) ? announced : undefined
            const hash = expected_checksum === undefined ? undefined : createHash("sha256")
            let received = 0
            for (let piece = yield* next; piece !== undefined; piece = yield* next) {
              received += piece.length
              if (received > limits.bytes) {
                return yield* tooLarge(limits.bytes)
              }
              hash?.update(piece)
              yield* append(piece)
              progress?.({ progress: received, total })
            }
            yield* checkSum(expected_checksum, hash)
          }))
      ).pipe(Effect.timeoutFail({ duration: limits.whole, onTimeout: tooSlow("It took more than", limits.whole) }))

      const duration_ms = (yield* Clock.currentTimeMillis) - started
      return { path: path.display, size, checksum, duration_ms }
    }).pipe(
      Effect.catchTags({
        HostRefused: domainNotAllowed,
        NoAnswer: (error) => Effect.flatMap(requestUrl(text), (url) => failed(url)(error)),
        ParentNotFound: parentAsInput("path"),
        DiskFull: diskAsResource
      })
    )
