import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as git from "../../../catalogue/git.js"
import { InvalidInput } from "../../../errors/general.js"
import { BranchAlreadyExists, BranchNotFound } from "../../../errors/git.js"
import type { Handler } from "../Handler.js"
import { commitOf, currentBranch, headReference, output } from "./head.js"
import { branchName, revision } from "./names.js"
import * as Repository from "./Repository.js"
import { hasReserved } from "./reserved.js"
import { said } from "./said.js"

interface Branch {
  readonly name: string
  readonly is_current: boolean
  readonly is_remote: boolean
}

const branchesOf = (text: string, current: string): ReadonlyArray<Branch> =>
  text.split("\n").flatMap((line): ReadonlyArray<Branch> => {
    const [reference = "", target = ""] = line.split("\0")
    // Another name of one that is there itself.
    if (target !== "") return []
    const [, kind, name = ""] = /^refs\/(heads|remotes)\/(.*)$/s.exec(reference) ?? []
    if (kind === undefined) return []
    const is_remote = kind === "remotes"
    return [{ name, is_current: !is_remote && name === current, is_remote }]
  })

/** All branches, and which one is checked out. */
export const list = (repository: Repository.Repository) =>
  Effect.gen(function*() {
    const current = yield* currentBranch(repository)
    const text = yield* output(repository, [
      "for-each-ref",
      "--format=%(refname)%00%(symref)",
      "refs/heads/",
      "refs/remotes/"
    ])
    return { branches: branchesOf(text, current), current_branch: current }
  })

// So that what is noted of a change carries a date and a name, without any configuration.
const noted = Effect.map(Clock.currentTimeMillis, (now) => ({
  GIT_COMMITTER_NAME: "KruxOS",
  GIT_COMMITTER_EMAIL: "gateway@localhost",
  GIT_COMMITTER_DATE: `@${Math.floor(now / 1000)} +0000`
}))

const notFound = (path: string, branch: string) =>
  new BranchNotFound({ message: `The repository has no branch ${branch}`, path, branch })

const unusable = (message: string, reason: string) => new InvalidInput({ message, field: "name", reason })

interface Target {
  readonly repository: Repository.Repository
  readonly path: string
  readonly name: string
}

// How git is told that there is to be nothing, whatever its names of objects are made of.
const nothing = ""

const update = (repository: Repository.Repository, message: string, args: ReadonlyArray<string>) =>
  Effect.flatMap(
    noted,
    (environment) => repository.run(["update-ref", "--create-reflog", "-m", message, ...args], { environment })
  )

const create = ({ name, path, repository }: Target, given: string | undefined) =>
  Effect.gen(function*() {
    const exists = (message: string) => new BranchAlreadyExists({ message, path, branch: name })
    if ((yield* commitOf(repository, `refs/heads/${name}`)) !== undefined) {
      return yield* exists(`The repository has a branch ${name} already`)
    }
    const start = given === undefined ? "HEAD" : yield* revision("start_point", given)
    const hash = yield* commitOf(repository, start)
    if (hash === undefined) return yield* notFound(path, start)
    const ended = yield* update(repository, `branch: Created from ${start}`, [`refs/heads/${name}`, hash, nothing])
    if (ended.code !== 0) {
      return yield* exists(
        `The branch cannot be made: ${said(ended, repository.workspace.root, [repository.commonDirectory])}`
      )
    }
  })

const change = ({ name, path, repository }: Target) =>
  Effect.gen(function*() {
    const reference = `refs/heads/${name}`
    const hash = yield* commitOf(repository, reference)
    if (hash === undefined && (yield* headReference(repository)) !== reference) return yield* notFound(path, name)
    if (hash === undefined) return
    if (yield* hasReserved(repository, hash)) {
      const reason = "it has files where the gateway keeps its own"
      return yield* unusable(`The branch cannot be switched to: ${reason}`, reason)
    }
    const environment = yield* noted
    const ended = yield* repository.run(
      ["switch", "--quiet", "--no-guess", "--no-recurse-submodules", "--no-progress", name],
      { environment }
    )
    if (ended.code !== 0) {
      const reason = said(ended, repository.workspace.root, [repository.commonDirectory])
      return yield* unusable(`The branch cannot be switched to: ${reason}`, reason)
    }
  })

const isKeptElsewhere = (repository: Repository.Repository, reference: string, hash: string) =>
  Effect.map(
    output(repository, ["for-each-ref", "--count=2", "--format=%(refname)", "--contains", hash]),
    (text) => text.split("\n").some((other) => other !== "" && other !== reference)
  )

const remove = ({ name, path, repository }: Target) =>
  Effect.gen(function*() {
    const reference = `refs/heads/${name}`
    const hash = yield* commitOf(repository, reference)
    if (hash === undefined) return yield* notFound(path, name)
    if ((yield* headReference(repository)) === reference) {
      return yield* unusable(`${name} is checked out: switch to another branch first`, "it is checked out")
    }
    if (!(yield* isKeptElsewhere(repository, reference, hash))) {
      return yield* unusable(`${name} has commits that no other branch has: they would be lost`, "it is not merged")
    }
    const ended = yield* update(repository, "branch: deleted", ["-d", reference, hash])
    if (ended.code !== 0) {
      const reason = said(ended, repository.workspace.root, [repository.commonDirectory])
      return yield* unusable(`The branch cannot be deleted: ${reason}`, reason)
    }
  })

/**
 * Lists branches, or creates, switches to or deletes one. A branch that is checked out, or has commits that are nowhere else, is not
 * deleted; a switch that would overwrite changes is InvalidInput.
 */
export const branch: Handler<typeof git.branch> = ({ action, name, path, start_point }, { workspace }) =>
  Effect.gen(function*() {
    if (action !== "list" && name === undefined) {
      return yield* unusable(`${action} needs the name of a branch`, "it is missing")
    }
    const given = name === undefined ? undefined : yield* branchName("name", name)
    const repository = yield* Repository.open(workspace, path)
    if (given !== undefined) {
      const target = { repository, path, name: given }
      if (action === "create") yield* create(target, start_point)
      if (action === "switch") yield* change(target)
      if (action === "delete") yield* remove(target)
    }
    return yield* list(repository)
  }).pipe(Effect.scoped)
