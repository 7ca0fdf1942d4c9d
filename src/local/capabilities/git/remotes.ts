import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { relative } from "node:path"
import { resolveDestination } from "../../egress/destination.js"
import type { Egress } from "../../egress/Egress.js"
import { HostRefused, NoAnswer } from "../../egress/failures.js"
import { hostOfUrl, showHost } from "../../egress/Host.js"
import type { ResolverService } from "../../egress/Resolver.js"
import { parseUrl } from "../../egress/url.js"
import { mountPoint } from "../../workspace/pathForm.js"
import type { Workspace } from "../../workspace/Workspace.js"
import * as Repository from "./Repository.js"
import { type Protocols, settings } from "./settings.js"

/** A remote that may not be talked to, or cannot be found. `isRefused`: by the policy. */
export class NoRemote extends Data.TaggedError("NoRemote")<{
  readonly message: string
  readonly reason: string
  readonly retryable: boolean
}> {}

/** A remote that an agent may reach. */
export interface Remote {
  /** What git is given. */
  readonly url: string
  /** What the agent is told, and what is written into a repository. */
  readonly shown: string
  readonly protocols: Protocols
  /** What git needs besides to reach it, and nothing else. */
  readonly configuration: ReadonlyArray<readonly [string, string]>
  /** What runs at the other end, where that is in the workspace. */
  readonly programs: { readonly upload: string; readonly receive: string } | undefined
  readonly repository: Repository.Repository | undefined
  /** The gateway's own that git has to see to reach it. */
  readonly directories: ReadonlyArray<string>
}

/** Where a remote may be looked for. */
export interface Way {
  readonly egress: Egress
  readonly resolver: ResolverService
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

// Git takes what is known of this end away before it starts the other one, so that it has to be said again there.
const program = ({ commonDirectory }: Repository.Repository, name: string, options: ReadonlyArray<string>): string =>
  [
    `GIT_COMMON_DIR=${quoted(commonDirectory)}`,
    "git",
    ...settings.map(quoted),
    name,
    ...options
  ].join(" ")

const inWorkspace = (
  workspace: Workspace,
  path: string
): Effect.Effect<Remote, Repository.OpenFailure, Scope.Scope> =>
  Effect.map(Repository.openAt(workspace, path), (repository) => ({
    url: repository.gitDirectory,
    shown: repository.place.display,
    protocols: "file",
    configuration: [],
    programs: {
      upload: program(repository, "upload-pack", ["--strict", "--timeout=300"]),
      receive: program(repository, "receive-pack", [])
    },
    repository,
    directories: [repository.home]
  }))

const refused = (error: HostRefused | NoAnswer) =>
  new NoRemote({
    message: error.message,
    reason: error instanceof HostRefused ? error.refusal.reason : error.reason,
    retryable: error instanceof NoAnswer
  })

const bracketed = (address: string): string => address.includes(":") ? `[${address}]` : address

// Git connects to the addresses that were looked at, whatever the name comes to mean meanwhile.
const onTheWeb = (url: URL, { egress, resolver }: Way): Effect.Effect<Remote, NoRemote> =>
  Effect.gen(function*() {
    const host = hostOfUrl(url)
    if (host === undefined) {
      return yield* new NoRemote({ message: "The URL has no host", reason: "no host", retryable: false })
    }
    const port = url.port === "" ? url.protocol === "https:" ? 443 : 80 : Number(url.port)
    const { addresses } = yield* Effect.mapError(
      resolveDestination(egress, resolver, { host, port, url: url.origin }),
      refused
    )
    if (host._tag === "Name") url.hostname = host.name
    return {
      url: url.href,
      shown: url.href,
      protocols: "http:https",
      configuration: host._tag === "Name"
        ? [["http.curloptResolve", `${showHost(host)}:${port}:${addresses.map(bracketed).join(",")}`] as const]
        : [],
      programs: undefined,
      repository: undefined,
      directories: []
    }
  })

const ofFile = (text: string): string | undefined => {
  try {
    const url = new URL(text)
    return url.host === "" && url.search === "" && url.hash === "" ? decodeURIComponent(url.pathname) : undefined
  } catch {
    return undefined
  }
}

// Programs of an agent that run without a sandbox see where the workspace really is.
const asSeen = (root: string, path: string): string =>
  path === root || path.startsWith(`${root}/`) ? [mountPoint, relative(root, path)].join("/") : path

/** What a repository says of where it was cloned from, by what was given then; undefined for what cannot be cloned. */
export const shownOf = (workspace: Workspace, text: string): Effect.Effect<string | undefined> => {
  if (/^https?:/i.test(text)) {
    return Effect.succeed(Either.match(parseUrl(text), {
      onLeft: () => undefined,
      onRight: (url) => {
        const host = hostOfUrl(url)
        if (host?._tag === "Name") url.hostname = host.name
        return url.href
      }
    }))
  }
  const path = /^file:/i.test(text) ? ofFile(text) : text
  return path === undefined ?
    Effect.succeed(undefined) :
    Repository.placeOf(workspace, asSeen(workspace.root, path)).pipe(
      Effect.map(({ display }) => display),
      Effect.orElseSucceed(() => undefined)
    )
}

/**
 * Finds the remote that a URL means: a repository in the workspace by its path or as `file://`, or one at a host that the policy allows,
 * by http or https. Nothing else, ssh and git's own protocol among it.
 */
export const remoteOf = (
  workspace: Workspace,
  text: string,
  way: Way
): Effect.Effect<Remote, NoRemote | Repository.OpenFailure, Scope.Scope> =>
  Effect.suspend((): Effect.Effect<Remote, NoRemote | Repository.OpenFailure, Scope.Scope> => {
    const not = (reason: string) =>
      Effect.fail(new NoRemote({ message: `The URL cannot be used: ${reason}`, reason, retryable: false }))
    if (/^https?:/i.test(text)) {
      return Either.match(parseUrl(text), { onLeft: not, onRight: (url) => onTheWeb(url, way) })
    }
    if (text === "" || text.startsWith("-") || /\p{Cc}/u.test(text)) {
      return not("it is empty, begins with - or has control characters")
    }
    if (/^file:/i.test(text)) {
      const path = ofFile(text)
      return path === undefined ? not("it names no file") : inWorkspace(workspace, asSeen(workspace.root, path))
    }
    // Two colons or one before any slash are another machine or a program for git.
    if (/^[^/]*:/.test(text)) return not("it is neither http nor https, nor a path in the workspace")
    return inWorkspace(workspace, asSeen(workspace.root, text))
  })
