import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { author, world } from "./support.js"

const later = { timeout: 60_000 }

describe("git.init", () => {
  it.scopedLive("makes a repository with the branch that is asked for", () =>
    Effect.gen(function*() {
      const { git, host, invoke } = yield* world()
      expect(yield* invoke("git.init", { path: "new/one", default_branch: "trunk" })).toEqual({
        path: "/workspace/new/one",
        default_branch: "trunk"
      })
      assert.strictEqual(git("new/one", "symbolic-ref", "HEAD"), "refs/heads/trunk")
      assert.isFalse(fs.existsSync(host("new/one/.git/hooks")))
      expect(yield* invoke("git.status", { path: "new/one" })).toMatchObject({ branch: "trunk", state: "clean" })
    }), later)

  it.scopedLive("leaves what is there: DestinationExists, PathOutOfScope, InvalidInput", () =>
    Effect.gen(function*() {
      const { failing, outside, repository, root, write } = yield* world()
      repository("there")
      write("file", "text")
      fs.symlinkSync(outside, `${root}/out`)
      assert.strictEqual((yield* failing("git.init", { path: "there" }))._tag, "DestinationExists")
      assert.strictEqual((yield* failing("git.init", { path: "file" }))._tag, "DestinationExists")
      assert.strictEqual((yield* failing("git.init", { path: "../x" }))._tag, "PathOutOfScope")
      assert.strictEqual((yield* failing("git.init", { path: "out/x" }))._tag, "PathOutOfScope")
      assert.strictEqual((yield* failing("git.init", { path: ".kruxos/x" }))._tag, "PathOutOfScope")
      for (const default_branch of ["-x", "--template=/", "a..b", "a b", "", "x.lock", "@", "HEAD"]) {
        assert.strictEqual((yield* failing("git.init", { path: "new", default_branch }))._tag, "InvalidInput")
      }
      assert.isFalse(fs.existsSync(`${root}/new`))
    }), later)
})

describe("git.status", () => {
  it.scopedLive(
    "tells every kind of change, and how far the branch is from its upstream",
    () =>
      Effect.gen(function*() {
        const { git, host, invoke, repository, write } = yield* world()
        repository("r", {
          "a.txt": "a\n",
          "b.txt": "b\n",
          "c d.txt": "long enough to be known again\n",
          "e.txt": "e\n"
        })
        git(".", "clone", "--quiet", "r", "other")
        write("other/a.txt", "changed\n")
        git("other", "mv", "c d.txt", "moved é.txt")
        git("other", "rm", "--quiet", "b.txt")
        fs.rmSync(host("other/e.txt"))
        write("other/new/x.txt", "new")
        write("other/staged.txt", "staged")
        git("other", "add", "staged.txt")
        const status = yield* invoke("git.status", { path: "other/new" })
        expect(status).toEqual({
          branch: "main",
          staged: [
            { file: "b.txt", status: "deleted" },
            { file: "moved é.txt", status: "renamed" },
            { file: "staged.txt", status: "added" }
          ],
          unstaged: [{ file: "a.txt", status: "modified" }, { file: "e.txt", status: "deleted" }],
          untracked: ["new/x.txt"],
          conflicted: [],
          upstream: "origin/main",
          ahead: 0,
          behind: 0,
          state: "dirty"
        })
        yield* invoke("git.commit", { path: "other", message: "all", ...author })
        expect(yield* invoke("git.status", { path: "other" })).toMatchObject({ ahead: 1, behind: 0, state: "clean" })
        git("other", "checkout", "--quiet", "--detach")
        expect(yield* invoke("git.status", { path: "other" })).toMatchObject({ branch: null, upstream: null })
      }),
    later
  )

  it.scopedLive("NotARepository where there is none, or one without a working tree", () =>
    Effect.gen(function*() {
      const { failing, git, root, write } = yield* world()
      fs.mkdirSync(`${root}/plain`)
      write("file", "x")
      git(".", "init", "--quiet", "--bare", "bare")
      for (const path of [".", "plain", "file", "not/there", "bare"]) {
        const error = yield* failing("git.status", { path })
        assert.strictEqual(error._tag, "NotARepository")
        assert.notInclude(JSON.stringify(error), root)
      }
      assert.strictEqual((yield* failing("git.status", { path: "/etc" }))._tag, "PathOutOfScope")
    }), later)

  it.scopedLive("tells a merge that is not finished, and the files in conflict", () =>
    Effect.gen(function*() {
      const { failing, git, invoke, repository, write } = yield* world()
      repository("r")
      git("r", "checkout", "--quiet", "-b", "side")
      write("r/a.txt", "side\n")
      git("r", "commit", "--quiet", "--all", "--message=side")
      git("r", "checkout", "--quiet", "main")
      write("r/a.txt", "main\n")
      git("r", "commit", "--quiet", "--all", "--message=main")
      try {
        git("r", "merge", "side")
      } catch {
        // It conflicts.
      }
      expect(yield* invoke("git.status", { path: "r" })).toMatchObject({ state: "merging", conflicted: ["a.txt"] })
      const unresolved = yield* failing("git.commit", { path: "r", message: "merge", ...author })
      assert.strictEqual(unresolved._tag, "CommitFailed")
      assert.include(unresolved.message, "a.txt is not resolved")
      write("r/a.txt", "both\n")
      yield* invoke("git.commit", { path: "r", message: "merge", ...author })
      assert.strictEqual(git("r", "log", "-1", "--format=%p").split(" ").length, 2)
      expect(yield* invoke("git.status", { path: "r" })).toMatchObject({ state: "clean", conflicted: [] })
    }), later)
})

describe("git.commit", () => {
  it.scopedLive("commits all changes, or those of some files alone", () =>
    Effect.gen(function*() {
      const { git, head, invoke, repository, write } = yield* world()
      repository("r")
      write("r/a.txt", "two\n")
      write("r/b.txt", "new\n")
      write("r/-c*.txt", "an odd name\n")
      git("r", "add", "b.txt")
      expect(yield* invoke("git.commit", { path: "r", message: "# some\n\nmore", files: ["-c*.txt"], ...author }))
        .toEqual({
          commit_hash: head("r"),
          files_committed: 1,
          branch: "main"
        })
      assert.strictEqual(git("r", "log", "-1", "--format=%an <%ae> %cn %B"), "Ada <ada@example.org> Ada # some\n\nmore")
      assert.strictEqual(git("r", "status", "--porcelain"), "M a.txt\nA  b.txt")
      expect(yield* invoke("git.commit", { path: "r", message: "all", ...author })).toMatchObject({
        files_committed: 2
      })
      assert.strictEqual(git("r", "status", "--porcelain"), "")
    }), later)

  it.scopedLive("NothingToCommit, CommitFailed without an author, InvalidInput", () =>
    Effect.gen(function*() {
      const { failing, head, repository, write } = yield* world()
      repository("r")
      const before = head("r")
      assert.strictEqual((yield* failing("git.commit", { path: "r", message: "m", ...author }))._tag, "NothingToCommit")
      write("r/a.txt", "two\n")
      write("r/.gitignore", "*.log\n")
      write("r/x.log", "log\n")
      const none = { path: "r", message: "m", ...author, files: [] }
      assert.strictEqual((yield* failing("git.commit", none))._tag, "NothingToCommit")
      assert.strictEqual((yield* failing("git.commit", { path: "r", message: "m" }))._tag, "CommitFailed")
      const ignored = { path: "r", message: "m", ...author, files: ["x.log"] }
      assert.strictEqual((yield* failing("git.commit", ignored))._tag, "CommitFailed")
      write("r/.git/index.lock", "")
      assert.strictEqual((yield* failing("git.commit", { path: "r", message: "m", ...author }))._tag, "CommitFailed")
      for (
        const more of [
          { message: " \n" },
          { message: "a\0b" },
          { files: ["../secret.txt"] },
          { files: ["/etc/passwd"] },
          { files: [".git/config"] },
          { files: ["not there"] },
          { author_name: "a\nb" }
        ]
      ) {
        const error = yield* failing("git.commit", { path: "r", message: "m", ...author, ...more })
        if (error._tag !== "CommitFailed") assert.strictEqual(error._tag, "InvalidInput")
      }
      assert.strictEqual(head("r"), before)
      assert.strictEqual((yield* failing("git.commit", { path: "..", message: "m" }))._tag, "PathOutOfScope")
      assert.strictEqual((yield* failing("git.commit", { path: "none", message: "m" }))._tag, "NotARepository")
    }), later)
})

describe("git.diff", () => {
  it.scopedLive("counts lines of what is changed, staged, or different from a commit", () =>
    Effect.gen(function*() {
      const { git, head, invoke, repository, write } = yield* world()
      repository("r", { "a.txt": "1\n2\n3\n", "b.bin": "\0\0", "c.txt": "some longer text\nof two lines\n" })
      const first = head("r")
      write("r/a.txt", "1\n2\nthree\nfour\n")
      write("r/b.bin", "\0\0\0")
      git("r", "mv", "c.txt", "d.txt")
      expect(yield* invoke("git.diff", { path: "r" })).toEqual({
        changes: [
          { file: "a.txt", status: "modified", additions: 2, deletions: 1 },
          { file: "b.bin", status: "modified", additions: 0, deletions: 0 }
        ],
        total_additions: 2,
        total_deletions: 1,
        files_changed: 2
      })
      expect(yield* invoke("git.diff", { path: "r", cached: true })).toMatchObject({
        changes: [{ file: "d.txt", status: "renamed", additions: 0, deletions: 0 }]
      })
      git("r", "commit", "--quiet", "--all", "--message=second")
      expect(yield* invoke("git.diff", { path: "r", commit: "HEAD~1" })).toMatchObject({ files_changed: 3 })
      expect(yield* invoke("git.diff", { path: "r", commit: first.slice(0, 10) })).toMatchObject({ files_changed: 3 })
    }), later)

  it.scopedLive("CommitNotFound, and InvalidInput for what is more than a commit", () =>
    Effect.gen(function*() {
      const { failing, repository } = yield* world()
      repository("r")
      assert.strictEqual((yield* failing("git.diff", { path: "r", commit: "nowhere" }))._tag, "CommitNotFound")
      for (const commit of ["--output=/tmp/x", "-O", "", "a..b", "HEAD:a.txt", "^HEAD", "a\nb"]) {
        assert.strictEqual((yield* failing("git.diff", { path: "r", commit }))._tag, "InvalidInput")
      }
      assert.strictEqual((yield* failing("git.diff", { path: "/" }))._tag, "PathOutOfScope")
      assert.strictEqual((yield* failing("git.diff", { path: "." }))._tag, "NotARepository")
    }), later)
})

describe("git.log", () => {
  it.scopedLive("gives commits with their words, by branch, time, author and number", () =>
    Effect.gen(function*() {
      const { git, head, invoke, repository, write } = yield* world()
      repository("r")
      write("r/a.txt", "two\n")
      yield* invoke("git.commit", { path: "r", message: "second\n\nwith a body", ...author })
      const all = yield* invoke("git.log", { path: "r" })
      expect(all).toMatchObject({
        commits: [
          { hash: head("r"), short_hash: head("r").slice(0, 7), message: "second\n\nwith a body", author_name: "Ada" },
          { message: "first", author_email: "eve@example.org", timestamp: "2023-11-14T22:13:20.000Z" }
        ],
        total_returned: 2,
        branch: "main"
      })
      const messages = (input: { readonly [name: string]: unknown }) =>
        Effect.map(invoke("git.log", { path: "r", ...input }), ({ total_returned }) => total_returned)
      assert.strictEqual(yield* messages({ limit: 1 }), 1)
      assert.strictEqual(yield* messages({ author: "Ad" }), 1)
      assert.strictEqual(yield* messages({ author: "@example.org" }), 2)
      assert.strictEqual(yield* messages({ author: ".*" }), 0)
      assert.strictEqual(yield* messages({ author: "--all" }), 0)
      assert.strictEqual(yield* messages({ since: "2023-11-14T22:13:20Z" }), 2)
      assert.strictEqual(yield* messages({ since: "2023-11-14T22:13:21Z" }), 1)
      assert.strictEqual(yield* messages({ since: "2999-01-01" }), 0)
      git("r", "branch", "old", "HEAD~1")
      expect(yield* invoke("git.log", { path: "r", branch: "old" })).toMatchObject({ branch: "old", total_returned: 1 })
      yield* invoke("git.init", { path: "empty" })
      expect(yield* invoke("git.log", { path: "empty" })).toEqual({ commits: [], total_returned: 0, branch: "main" })
    }), later)

  it.scopedLive("BranchNotFound, and limits", () =>
    Effect.gen(function*() {
      const { failing, repository } = yield* world()
      repository("r")
      assert.strictEqual((yield* failing("git.log", { path: "r", branch: "none" }))._tag, "BranchNotFound")
      for (const more of [{ limit: 501 }, { limit: 0 }, { branch: "-x" }, { branch: "--all" }, { author: "a\nb" }]) {
        assert.strictEqual((yield* failing("git.log", { path: "r", ...more }))._tag, "InvalidInput")
      }
      assert.strictEqual((yield* failing("git.log", { path: "/tmp" }))._tag, "PathOutOfScope")
      assert.strictEqual((yield* failing("git.log", { path: "." }))._tag, "NotARepository")
    }), later)
})

describe("git.branch", () => {
  it.scopedLive("creates, switches, lists and deletes", () =>
    Effect.gen(function*() {
      const { git, invoke, repository, text, write } = yield* world()
      repository("r")
      write("r/a.txt", "two\n")
      git("r", "commit", "--quiet", "--all", "--message=second")
      const old = yield* invoke("git.branch", { path: "r", action: "create", name: "feature/x", start_point: "HEAD~1" })
      expect(old).toEqual({
        branches: [
          { name: "feature/x", is_current: false, is_remote: false },
          { name: "main", is_current: true, is_remote: false }
        ],
        current_branch: "main"
      })
      expect(yield* invoke("git.branch", { path: "r", action: "switch", name: "feature/x" })).toMatchObject({
        current_branch: "feature/x"
      })
      assert.strictEqual(text("r/a.txt"), "one\n")
      yield* invoke("git.branch", { path: "r", action: "switch", name: "main" })
      expect(yield* invoke("git.branch", { path: "r", action: "delete", name: "feature/x" })).toMatchObject({
        branches: [{ name: "main" }]
      })
      git(".", "clone", "--quiet", "r", "other")
      expect(yield* invoke("git.branch", { path: "other", action: "list" })).toEqual({
        branches: [
          { name: "main", is_current: true, is_remote: false },
          { name: "origin/main", is_current: false, is_remote: true }
        ],
        current_branch: "main"
      })
    }), later)

  it.scopedLive("its errors, none of which changes anything", () =>
    Effect.gen(function*() {
      const { failing, git, repository, text, write } = yield* world()
      repository("r")
      git("r", "checkout", "--quiet", "-b", "side")
      write("r/a.txt", "side\n")
      git("r", "commit", "--quiet", "--all", "--message=side")
      git("r", "checkout", "--quiet", "main")
      write("r/a.txt", "not committed\n")
      const before = git("r", "for-each-ref")
      const tagOf = (more: { readonly [name: string]: unknown }) =>
        Effect.map(failing("git.branch", { path: "r", ...more }), ({ _tag, type }) => `${_tag} ${type}`)
      assert.strictEqual(yield* tagOf({ action: "create", name: "main" }), "BranchAlreadyExists BranchAlreadyExists")
      assert.strictEqual(yield* tagOf({ action: "create", name: "main/x" }), "BranchAlreadyExists BranchAlreadyExists")
      assert.strictEqual(
        yield* tagOf({ action: "create", name: "y", start_point: "z" }),
        "BranchNotFound BranchNotFound"
      )
      assert.strictEqual(yield* tagOf({ action: "switch", name: "none" }), "BranchNotFound BranchNotFound")
      assert.strictEqual(yield* tagOf({ action: "delete", name: "none" }), "BranchNotFound BranchNotFound")
      assert.strictEqual(yield* tagOf({ action: "rename", name: "x" }), "InvalidInput InvalidAction")
      for (
        const more of [
          { action: "create" },
          { action: "create", name: "-x" },
          { action: "create", name: "x", start_point: "--force" },
          { action: "switch", name: "--orphan" },
          { action: "switch", name: "side" },
          { action: "delete", name: "main" },
          { action: "delete", name: "side" }
        ]
      ) {
        assert.strictEqual((yield* failing("git.branch", { path: "r", ...more }))._tag, "InvalidInput")
      }
      assert.strictEqual(git("r", "for-each-ref"), before)
      assert.strictEqual(text("r/a.txt"), "not committed\n")
      assert.strictEqual((yield* failing("git.branch", { path: "..", action: "list" }))._tag, "PathOutOfScope")
      assert.strictEqual((yield* failing("git.branch", { path: ".", action: "list" }))._tag, "NotARepository")
    }), later)
})
