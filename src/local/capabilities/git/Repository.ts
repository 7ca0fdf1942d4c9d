import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { PathOutOfScope } from "../../../errors/filesystem.js"
import { InvalidInput } from "../../../errors/general.js"
import { NotARepository } from "../../../errors/git.js"
import { fromSegments } from "../../workspace/pathForm.js"
import { codeOf, type SystemFailure, systemFailure } from "../../workspace/systemFailure.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Command, CommandFailure, Ended } from "./Command.js"
import { type Configuration, fileOf, harmless, parse } from "./configuration.js"
import { checkGitDirectory, hasGit, looksBare, Unusable } from "./gitDirectory.js"
import { excludesOf } from "./reserved.js"
import { runLocal } from "./run.js"

/** How a command is run in a repository. */
export type Options = Pick<Command, "configuration" | "environment" | "protocols" | "stdin">

/** A repository in the workspace, looked through, and ready for commands. */
export interface Repository {
  readonly workspace: Workspace
  /** The root of its working tree; of one without, its own directory. */
  readonly place: WorkspacePath
  /** The same on the host. */
  readonly host: string
  readonly gitDirectory: string
  /** A directory of the gateway's, which goes with the scope. */
  readonly home: string
  /** The gateway's stand-in for what git shares between working trees, its configuration above all. */
  readonly commonDirectory: string
  readonly bare: boolean
  /** All that the repository says of itself. */
  readonly configuration: Configuration
  /** A command in it, to be run. */
  readonly command: (args: ReadonlyArray<string>, options?: Options) => Command
  readonly run: (args: ReadonlyArray<string>, options?: Options) => Effect.Effect<Ended, CommandFailure>
}

/** What keeps a path from being opened as a repository. */
export type OpenFailure = PathFailure | CommandFailure | NotARepository | PathOutOfScope

/** A directory of the gateway's own, which goes with the scope. */
export const temporaryHome: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(join(fs.realpathSync.native(tmpdir()), "kruxos-git-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

/** The settings and the environment of a command that is in no repository. */
export const nowhere = (
  home: string,
  { root }: Workspace
): Pick<Command, "home" | "directory" | "workspace" | "environment"> => ({
  home,
  directory: home,
  workspace: root,
  environment: { GIT_CEILING_DIRECTORIES: dirname(home) }
})

const notOne = (path: string, reason: string) =>
  new NotARepository({ message: `${path} is in no git repository: ${reason}`, path, context: { reason } })

const refused =
  (path: string) => (cause: unknown): Effect.Effect<never, NotARepository | PathOutOfScope | SystemFailure> => {
    if (!(cause instanceof Unusable)) {
      if (codeOf(cause) === "ENOENT") return Effect.fail(notOne(path, "it was removed meanwhile"))
      return systemFailure({ path: fromSegments(path.split("/").slice(2)), operation: "look at", field: "path" })(cause)
    }
    return Effect.fail(
      cause.outside
        ? new PathOutOfScope({ message: `The repository at ${path} leads out of the workspace: ${cause.reason}`, path })
        : notOne(path, cause.reason)
    )
  }

const look = <A>(path: string, what: () => A) =>
  Effect.catchAll(Effect.try({ try: what, catch: (cause) => cause }), refused(path))

const isDirectory = (path: string) => fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** The segments of the directory that has `.git`, from a place upwards. */
const rootOf = (root: string, segments: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  for (let count = segments.length; count >= 0; count--) {
    const here = segments.slice(0, count)
    if (hasGit(join(root, ...here))) return here
  }
  return undefined
}

const longestConfiguration = 1024 * 1024

const configurationOf = (workspace: Workspace, home: string, gitSegments: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const path = fromSegments([...gitSegments, "config"])
    const { bytes, size } = yield* Effect.catchTag(
      workspace.read(path, { limit: longestConfiguration }),
      "FileNotFound",
      () => Effect.succeed({ bytes: new Uint8Array(), size: 0 })
    )
    const unusable = (reason: string) =>
      new InvalidInput({
        message: `The configuration of the repository cannot be used: ${reason}`,
        field: "path",
        reason
      })
    if (size > longestConfiguration) return yield* unusable(`it is longer than ${longestConfiguration} bytes`)
    const { code, stdout } = yield* runLocal({
      ...nowhere(home, workspace),
      args: ["config", "--file", "-", "--no-includes", "--list", "-z"],
      stdin: new TextDecoder().decode(bytes)
    })
    return code === 0 ? parse(stdout) : yield* unusable("git cannot read it")
  })

// What git shares between working trees is taken from a directory of the gateway's, which says what the configuration is; all else there
// leads to the repository. So what an agent writes into a configuration is never read by git, whenever it is written.
const shared = ["objects", "refs", "packed-refs", "logs", "info", "shallow", "HEAD"]

const standIn = (home: string, gitDirectory: string, configuration: string): string => {
  const common = fs.mkdtempSync(join(home, "common-"))
  fs.writeFileSync(join(common, "config"), configuration)
  // Git makes directories in it, which it could not at the end of a link that leads nowhere.
  fs.mkdirSync(join(gitDirectory, "logs"), { recursive: true })
  for (const name of shared) fs.symlinkSync(join(gitDirectory, name), join(common, name))
  return common
}

const longestValue = 8192

const variables = (configuration: Configuration): { readonly [name: string]: string } => {
  const given = harmless(configuration).filter(([name, value]) => name.length + value.length < longestValue)
  return {
    GIT_CONFIG_COUNT: String(given.length),
    ...Object.fromEntries(given.flatMap(([name, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, name],
      [`GIT_CONFIG_VALUE_${index}`, value]
    ]))
  }
}

const prepare = (
  workspace: Workspace,
  segments: ReadonlyArray<string>,
  bare: boolean
): Effect.Effect<Repository, OpenFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const place = fromSegments(segments)
    const gitSegments = bare ? segments : [...segments, ".git"]
    const host = join(workspace.root, ...segments)
    const gitDirectory = join(workspace.root, ...gitSegments)
    yield* look(place.display, () => checkGitDirectory(workspace.root, gitDirectory))
    const home = yield* temporaryHome
    const configuration = yield* configurationOf(workspace, home, gitSegments)
    const file = fileOf(configuration, bare)
    if (file instanceof InvalidInput) return yield* file
    const commonDirectory = yield* look(place.display, () => standIn(home, gitDirectory, file))
    const own = {
      GIT_DIR: gitDirectory,
      GIT_COMMON_DIR: commonDirectory,
      ...bare ? {} : { GIT_WORK_TREE: host },
      ...variables(configuration)
    }
    const excluded = excludesOf(home, segments)
    const command = (
      args: ReadonlyArray<string>,
      { configuration = [], environment = {}, ...options }: Options = {}
    ): Command => ({
      args,
      home,
      workspace: workspace.root,
      configuration: [...excluded, ...configuration],
      directory: bare ? gitDirectory : host,
      environment: { ...own, ...environment },
      ...options
    })
    return {
      workspace,
      place,
      host,
      gitDirectory,
      home,
      commonDirectory,
      bare,
      configuration,
      command,
      run: (args, options) => runLocal(command(args, options))
    }
  })

/** Where a path leads, without links. */
export const placeOf = (workspace: Workspace, path: string) =>
  Effect.flatMap(workspace.resolve(path), (resolved) => workspace.kept.placeOf(resolved, { last: "followed" }))

/**
 * Opens the repository that a path is in, as long as the scope lasts. NotARepository: there is none, or it is one without a working tree, a
 * submodule or a further working tree. PathOutOfScope: something in its `.git` leads out of the workspace.
 */
export const open = (
  workspace: Workspace,
  path: string
): Effect.Effect<Repository, OpenFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const place = yield* placeOf(workspace, path)
    const found = yield* look(
      place.display,
      () => isDirectory(join(workspace.root, ...place.segments)) ? rootOf(workspace.root, place.segments) : undefined
    )
    if (found === undefined) return yield* notOne(path, "neither it nor a directory above it has a .git")
    return yield* prepare(workspace, found, false)
  })

/** What stands for the repository that a path is in, where things have to come one after the other. */
export const nameOf = (workspace: Workspace, path: string): Effect.Effect<string> =>
  placeOf(workspace, path).pipe(
    Effect.map(({ segments }) => [workspace.root, ...rootOf(workspace.root, segments) ?? segments].join("/")),
    // Whoever goes on with it is going to say why.
    Effect.catchAllCause(() => Effect.succeed(path))
  )

/** Opens exactly the repository at a path, with a working tree or without. */
export const openAt = (
  workspace: Workspace,
  path: string
): Effect.Effect<Repository, OpenFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const place = yield* placeOf(workspace, path)
    const host = join(workspace.root, ...place.segments)
    const form = yield* look(place.display, () =>
      !isDirectory(host) ? undefined : hasGit(host) ? "tree" as const : looksBare(host) ? "bare" as const : undefined)
    if (form === undefined) {
      return yield* notOne(path, "there is none")
    }
    return yield* prepare(workspace, place.segments, form === "bare")
  })
