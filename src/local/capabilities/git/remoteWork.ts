import * as Effect from "effect/Effect"
import { isAbsolute } from "node:path"
import { fetched } from "./configuration.js"
import { NoRemote, type Remote, remoteOf, type Way } from "./remotes.js"
import type { Repository } from "./Repository.js"
import { runRemote } from "./run.js"
import { said } from "./said.js"

/** Why a remote was of no use. */
export interface Trouble {
  readonly message: string
  readonly reason: string
  readonly retryable: boolean
}

const kinds: ReadonlyArray<readonly [RegExp, string, boolean]> = [
  [/could not read Username|Authentication failed|terminal prompts disabled|error: 40[13]/i, "authentication", false],
  [/not found|does not appear to be a git repository|error: 404/i, "not_found", false],
  [/error: 30\d|redirect/i, "redirected", false],
  [/protocol '?.*'? not allowed|transport '.*' not allowed/i, "protocol", false],
  [/File too large|signal 25|SIGXFSZ/i, "too_large", false]
]

/** What git's words about a remote come to. */
export const troubleOf = (message: string): Trouble => {
  const [, reason, retryable] = kinds.find(([pattern]) => pattern.test(message)) ?? [undefined, "remote", true]
  return { message, reason, retryable }
}

/** What git has to be told of a remote, for a command that names it. */
export const configurationOf = (
  name: string,
  { configuration, programs, url }: Remote
): ReadonlyArray<readonly [string, string]> => [
  ...configuration,
  [`remote.${name}.url`, url],
  fetched(name),
  ...programs === undefined
    ? []
    : [
      [`remote.${name}.uploadpack`, programs.upload] as const,
      [`remote.${name}.receivepack`, programs.receive] as const
    ]
]

/** Finds a remote of a repository by its name; `pushed`: for what is written to it. */
export const namedRemote = (
  repository: Repository,
  name: string,
  way: Way,
  { pushed }: { readonly pushed: boolean }
) => {
  const first = (key: string) => repository.configuration.find(([other]) => other === `remote.${name}.${key}`)?.[1]
  const text = (pushed ? first("pushurl") : undefined) ?? first("url")
  if (text === undefined) {
    const message = `The repository has no remote ${name}`
    return Effect.fail(new NoRemote({ message, reason: "no such remote", retryable: false }))
  }
  // A path that is relative is so to the repository.
  const isRelative = !isAbsolute(text) && !/^[^/]*:/.test(text)
  return remoteOf(repository.workspace, isRelative ? `${repository.place.display}/${text}` : text, way)
}

/** Runs a command that talks to a remote which it names, and gives how it ended. */
export const runWith = (repository: Repository, name: string, remote: Remote, args: ReadonlyArray<string>) =>
  runRemote({
    ...repository.command(args, { configuration: configurationOf(name, remote) }),
    protocols: remote.protocols,
    also: remote.directories
  })

/** What git says of a failure, without what only the gateway knows. */
export const complaint = (
  ended: Parameters<typeof said>[0],
  repository: Repository,
  remote: Remote
): string =>
  said(ended, repository.workspace.root, [
    repository.commonDirectory,
    ...remote.repository === undefined ? [] : [remote.repository.commonDirectory]
  ])
