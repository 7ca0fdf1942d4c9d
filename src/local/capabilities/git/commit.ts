import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import type * as git from "../../../catalogue/git.js"
import { InvalidInput } from "../../../errors/general.js"
import { CommitFailed, NothingToCommit } from "../../../errors/git.js"
import { fromSegments } from "../../workspace/pathForm.js"
import type { Handler } from "../Handler.js"
import { valueOf } from "./configuration.js"
import { commitOf, currentBranch, output } from "./head.js"
import { fileName, line } from "./names.js"
import * as Repository from "./Repository.js"
import { filesNamed } from "./reserved.js"
import { said } from "./said.js"
import { readStatus, stateOf } from "./status.js"

const longestMessage = 1024 * 1024

const mostFiles = 10_000

const messageOf = (message: string) => {
  const reason = message.trim() === ""
    ? "it is empty"
    : message.length > longestMessage
    ? `it is longer than ${longestMessage} characters`
    : message.includes("\0") || /\p{Surrogate}/u.test(message)
    ? "it is no text that git could keep"
    : undefined
  return reason === undefined
    ? Effect.succeed(message)
    : Effect.fail(new InvalidInput({ message: `The message cannot be used: ${reason}`, field: "message", reason }))
}

interface Author {
  readonly author_name?: string | undefined
  readonly author_email?: string | undefined
}

/** Who commits, by the clock; undefined where the repository does not say it and nobody else does. */
export const identity = (
  { configuration }: Repository.Repository,
  { author_email, author_name }: Author = {}
): Effect.Effect<{ readonly [name: string]: string } | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const of = (role: string, part: string) =>
      valueOf(configuration, `${role}.${part}`) ?? valueOf(configuration, `user.${part}`)
    const name = author_name ?? of("author", "name")
    const email = author_email ?? of("author", "email")
    // Characters that git drops from a name are none.
    const isThere = (text: string | undefined): text is string => text !== undefined && /[^\s.,:;<>"\\']/.test(text)
    if (!isThere(name) || !isThere(email)) return undefined
    const date = `@${Math.floor(now / 1000)} +0000`
    return {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: of("committer", "name") ?? name,
      GIT_COMMITTER_EMAIL: of("committer", "email") ?? email,
      GIT_COMMITTER_DATE: date
    }
  })

const failed = (path: string, reason: string) =>
  new CommitFailed({ message: `git did not make the commit: ${reason}`, path, context: { reason } })

const nothing = (path: string) => new NothingToCommit({ message: "Nothing differs from the last commit", path })

const largestConflict = 4 * 1024 * 1024

// To take all files in would call a conflict resolved in which nobody has decided anything.
const undecided = (repository: Repository.Repository) =>
  Effect.gen(function*() {
    const { conflicted } = yield* readStatus(repository)
    for (const file of conflicted.slice(0, mostFiles)) {
      const path = fromSegments([...repository.place.segments, ...file.split("/")])
      const text = yield* repository.workspace.read(path, { limit: largestConflict }).pipe(
        Effect.map(({ bytes }) => new TextDecoder().decode(bytes)),
        Effect.orElseSucceed(() => "")
      )
      if (/^<{7} /m.test(text) && /^>{7} /m.test(text)) return file
    }
    return undefined
  })

const fromFile = ["--pathspec-from-file=-", "--pathspec-file-nul"]

const stage = (repository: Repository.Repository, path: string, files: ReadonlyArray<string> | undefined) =>
  Effect.gen(function*() {
    if (files === undefined) {
      const file = yield* undecided(repository)
      if (file !== undefined) return yield* failed(path, `the conflict in ${file} is not resolved`)
    }
    const named = filesNamed(repository, files)
    const ended = yield* repository.run(
      [...named.options, "add", "--all", ...named.names === undefined ? [] : fromFile],
      named.names === undefined ? {} : { stdin: named.names.join("\0") }
    )
    if (ended.code === 0) return
    const reason = said(ended, repository.workspace.root, [repository.commonDirectory])
    if (!reason.includes("did not match any file")) return yield* failed(path, reason)
    const message = "One of the files is neither there nor in the last commit"
    return yield* new InvalidInput({ message, field: "files", reason })
  })

const differs = (repository: Repository.Repository, files: ReadonlyArray<string> | undefined) =>
  Effect.map(
    output(repository, [
      "diff",
      "--cached",
      "--name-only",
      "-z",
      "--no-ext-diff",
      "--ignore-submodules=all",
      "--",
      ...files ?? []
    ]),
    (text) => text !== ""
  )

/** How many files the last commit has changed. */
export const countFiles = (repository: Repository.Repository, parent: string | undefined) =>
  Effect.map(
    output(repository, [
      "diff-tree",
      "--no-commit-id",
      "--name-only",
      "-r",
      "-z",
      ...parent === undefined ? ["--root", "HEAD"] : [parent, "HEAD"]
    ]),
    (text) => text.split("\0").length - 1
  )

/**
 * Commits all changes of the working tree, or those of some files and nothing else. No hook of the repository runs. CommitFailed: the
 * repository does not say who commits, and neither does the caller; a conflict is not resolved; the index is locked.
 */
export const commit: Handler<typeof git.commit> = (
  { author_email, author_name, files, message, path },
  { workspace }
) =>
  Effect.gen(function*() {
    const text = yield* messageOf(message)
    if (files !== undefined && files.length > mostFiles) {
      const reason = `there are more than ${mostFiles} files`
      return yield* new InvalidInput({ message: `The files cannot be used: ${reason}`, field: "files", reason })
    }
    const names = files === undefined ? undefined : yield* Effect.forEach(files, (file) => fileName("files", file))
    if (author_name !== undefined) yield* line("author_name", author_name)
    if (author_email !== undefined) yield* line("author_email", author_email)
    const repository = yield* Repository.open(workspace, path)
    if (names?.length === 0) return yield* nothing(path)
    const who = yield* identity(repository, { author_email, author_name })
    if (who === undefined) {
      return yield* failed(path, "nobody says who the author is: give author_name and author_email")
    }
    const parent = yield* commitOf(repository, "HEAD")
    const isMerge = stateOf(repository) === "merging" && fs.existsSync(join(repository.gitDirectory, "MERGE_HEAD"))
    yield* stage(repository, path, names)
    if (!isMerge && !(yield* differs(repository, names))) return yield* nothing(path)
    const named = names === undefined ? undefined : filesNamed(repository, names)
    const ended = yield* repository.run(
      [
        ...named?.options ?? [],
        "commit",
        "--quiet",
        "--no-verify",
        "--no-gpg-sign",
        "--no-post-rewrite",
        "--no-status",
        "--cleanup=whitespace",
        "--file=-",
        ...named?.names === undefined ? [] : ["--only", "--", ...named.names]
      ],
      { stdin: text, environment: who }
    )
    if (ended.code !== 0) {
      return yield* failed(path, said(ended, workspace.root, [repository.commonDirectory]))
    }
    const hash = yield* commitOf(repository, "HEAD")
    return hash === undefined ? yield* failed(path, "it is not there any more") : {
      commit_hash: hash,
      files_committed: yield* countFiles(repository, parent),
      branch: yield* currentBranch(repository)
    }
  }).pipe(Effect.scoped)
