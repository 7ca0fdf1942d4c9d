import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import { join } from "node:path"
import { GitLimits } from "../../../../src/local/capabilities/git/GitLimits.js"
import { Resolver } from "../../../../src/local/egress/Resolver.js"
import { until } from "../../../support/deadline.js"
import { serveGit } from "./httpServer.js"
import { author, gitIn, world } from "./support.js"

const later = { timeout: 60_000 }

const limits = {
  local: "1 minute",
  remote: "5 minutes",
  grace: "2 seconds",
  outputBytes: 16 * 1024 * 1024,
  fileBytes: 1024 * 1024 * 1024,
  memoryBytes: 2 * 1024 * 1024 * 1024
} as const

/** A repository with a remote and a clone of it, both in the workspace. */
const pair = Effect.gen(function*() {
  const made = yield* world()
  made.repository("model", { "a.txt": "one\n", "b.txt": "b\n" })
  made.git(".", "clone", "--quiet", "--bare", "model", "remote.git")
  const cloned = yield* made.invoke("git.clone", { url: "/workspace/remote.git", path: "work" })
  made.git(".", "clone", "--quiet", "remote.git", "another")
  return {
    ...made,
    cloned,
    /** What somebody else pushes. */
    pushed: (file: string, text: string) => {
      made.write(`another/${file}`, text)
      made.git("another", "add", "--all")
      made.git("another", "commit", "--quiet", `--message=${file}`)
      made.git("another", "push", "--quiet")
    }
  }
})

describe("over files", () => {
  it.scopedLive("clones, pulls and pushes within the workspace", () =>
    Effect.gen(function*() {
      const { cloned, git, head, invoke, pushed, text, write } = yield* pair
      expect(cloned).toEqual({ path: "/workspace/work", default_branch: "main", head_commit: head("model") })
      assert.strictEqual(text("work/a.txt"), "one\n")
      assert.strictEqual(git("work", "config", "remote.origin.url"), "/workspace/remote.git")
      expect(yield* invoke("git.status", { path: "work" })).toMatchObject({ upstream: "origin/main", state: "clean" })
      pushed("c.txt", "c\n")
      expect(yield* invoke("git.pull", { path: "work" })).toEqual({
        new_commits: 1,
        files_changed: 1,
        head_commit: head("another"),
        up_to_date: false
      })
      expect(yield* invoke("git.pull", { path: "work" })).toMatchObject({ new_commits: 0, up_to_date: true })
      write("work/d.txt", "d\n")
      yield* invoke("git.commit", { path: "work", message: "d", ...author })
      expect(yield* invoke("git.push", { path: "work" })).toEqual({
        pushed_refs: ["refs/heads/main"],
        head_commit: head("work")
      })
      assert.strictEqual(head("remote.git"), head("work"))
      expect(yield* invoke("git.push", { path: "work" })).toMatchObject({ pushed_refs: [] })
      expect(yield* invoke("git.status", { path: "work" })).toMatchObject({ ahead: 0, behind: 0 })
    }), later)

  it.scopedLive(
    "clones a branch, a part of the history, an empty repository, and by a relative path",
    () =>
      Effect.gen(function*() {
        const { git, invoke, pushed } = yield* pair
        pushed("c.txt", "c\n")
        git("remote.git", "branch", "old", "main~1")
        expect(yield* invoke("git.clone", { url: "remote.git", path: "old", branch: "old" })).toMatchObject({
          default_branch: "main",
          head_commit: git("remote.git", "rev-parse", "old")
        })
        yield* invoke("git.clone", { url: "file:///workspace/remote.git", path: "deep/er/shallow", depth: 1 })
        expect(yield* invoke("git.log", { path: "deep/er/shallow" })).toMatchObject({ total_returned: 1 })
        git(".", "init", "--quiet", "--bare", "empty.git")
        expect(yield* invoke("git.clone", { url: "empty.git", path: "empty" })).toMatchObject({ head_commit: "" })
      }),
    later
  )

  it.scopedLive("merges what both have changed, and leaves conflicts to be resolved", () =>
    Effect.gen(function*() {
      const { failing, git, head, invoke, pushed, text, write } = yield* pair
      git("work", "config", "user.name", "Ada")
      git("work", "config", "user.email", "ada@example.org")
      pushed("c.txt", "c\n")
      write("work/d.txt", "d\n")
      yield* invoke("git.commit", { path: "work", message: "d" })
      expect(yield* invoke("git.pull", { path: "work" })).toMatchObject({ new_commits: 1, files_changed: 1 })
      assert.strictEqual(git("work", "log", "-1", "--format=%an %p").split(" ").length, 3)

      write("work/a.txt", "not committed\n")
      pushed("a.txt", "theirs\n")
      const before = head("work")
      const overwritten = yield* failing("git.pull", { path: "work" })
      assert.strictEqual(overwritten._tag, "MergeConflict")
      assert.strictEqual(text("work/a.txt"), "not committed\n")
      assert.strictEqual(head("work"), before)

      yield* invoke("git.commit", { path: "work", message: "ours" })
      const conflict = yield* failing("git.pull", { path: "work" })
      assert.strictEqual(conflict._tag, "MergeConflict")
      expect(conflict.context).toEqual({ files: ["a.txt"] })
      assert.strictEqual((yield* failing("git.pull", { path: "work" }))._tag, "MergeConflict")
      write("work/a.txt", "both\n")
      yield* invoke("git.commit", { path: "work", message: "resolved" })
      expect(yield* invoke("git.pull", { path: "work" })).toMatchObject({ up_to_date: true })
      expect(yield* invoke("git.push", { path: "work" })).toMatchObject({ pushed_refs: ["refs/heads/main"] })
    }), later)

  it.scopedLive(
    "PushRejected where the remote has more, PushFailed where it does not take it",
    () =>
      Effect.gen(function*() {
        const { failing, git, head, invoke, pushed, write } = yield* pair
        pushed("c.txt", "c\n")
        write("work/d.txt", "d\n")
        yield* invoke("git.commit", { path: "work", message: "d", ...author })
        const rejected = yield* failing("git.push", { path: "work" })
        expect(rejected).toMatchObject({ _tag: "PushRejected", remote: "origin", branch: "main" })
        assert.strictEqual(head("remote.git"), head("another"))
        const tagOf = (more: object) => Effect.map(failing("git.push", { path: "work", ...more }), ({ _tag }) => _tag)
        assert.strictEqual(yield* tagOf({ remote: "upstream" }), "PushFailed")
        assert.strictEqual(yield* tagOf({ branch: "none" }), "PushFailed")
        git("work", "config", "remote.tree.url", "/workspace/another")
        expect(yield* failing("git.push", { path: "work", remote: "tree" })).toMatchObject({
          _tag: "PushFailed",
          context: { reason: "checked_out" }
        })
        git("work", "checkout", "--quiet", "--detach")
        assert.strictEqual(yield* tagOf({}), "InvalidInput")
        assert.strictEqual((yield* failing("git.push", { path: "/" }))._tag, "PathOutOfScope")
        assert.strictEqual((yield* failing("git.push", { path: "." }))._tag, "NotARepository")
      }),
    later
  )

  it.scopedLive(
    "CloneFailed, DestinationExists and PullFailed; nothing outside the workspace",
    () =>
      Effect.gen(function*() {
        const { base, failing, git, host, root, write } = yield* pair
        fs.mkdirSync(join(base, "elsewhere"))
        gitIn(join(base, "elsewhere"), "init", "--quiet")
        write("full/file", "x")
        const clone = (url: string, more: object = {}) =>
          Effect.map(failing("git.clone", { url, path: "copy", ...more }), ({ _tag }) => _tag)
        assert.strictEqual(yield* clone("/workspace/none"), "CloneFailed")
        assert.strictEqual(yield* clone("remote.git", { branch: "none" }), "CloneFailed")
        assert.strictEqual(yield* clone("remote.git", { path: "full" }), "DestinationExists")
        assert.strictEqual(yield* clone("remote.git", { path: "full/file" }), "DestinationExists")
        assert.strictEqual(yield* clone("remote.git", { path: "../copy" }), "PathOutOfScope")
        for (
          const url of [join(base, "elsewhere"), `file://${join(base, "elsewhere")}`, "../elsewhere", "file:///etc"]
        ) {
          assert.strictEqual(yield* clone(url), "PathOutOfScope", url)
        }
        assert.strictEqual(yield* clone("remote.git", { depth: 0 }), "InvalidInput")
        assert.isFalse(fs.existsSync(host("copy")))

        const pull = (more: object) => failing("git.pull", { path: "work", ...more })
        assert.strictEqual((yield* pull({ branch: "none" }))._tag, "PullFailed")
        assert.strictEqual((yield* pull({ remote: "none" }))._tag, "PullFailed")
        git("work", "config", "remote.origin.url", join(base, "elsewhere"))
        const outside = yield* pull({})
        assert.strictEqual(outside._tag, "PathOutOfScope")
        assert.notInclude(JSON.stringify(outside), root)
        git("work", "config", "remote.origin.url", "/workspace/gone.git")
        const gone = yield* pull({})
        assert.strictEqual(gone._tag, "PullFailed")
        assert.notInclude(JSON.stringify(gone), root)
        assert.strictEqual((yield* failing("git.pull", { path: ".." }))._tag, "PathOutOfScope")
        assert.strictEqual((yield* failing("git.pull", { path: "." }))._tag, "NotARepository")
      }),
    later
  )
})

const web = (allow: (port: number) => ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const outer = yield* world()
    outer.repository("model")
    outer.git(".", "clone", "--quiet", "--bare", "model", "one.git")
    outer.git("one.git", "update-server-info")
    const server = yield* serveGit(outer.root)
    const made = yield* world(allow(server.port))
    return { ...made, outer, server, url: (path: string, host = "127.0.0.1") => `http://${host}:${server.port}${path}` }
  })

describe("over http", () => {
  it.scopedLive("clones, pulls and pushes where the policy allows the host", () =>
    Effect.gen(function*() {
      const { git, head, invoke, outer, text, url, write } = yield* web((port) => [`127.0.0.1:${port}`])
      expect(yield* invoke("git.clone", { url: url("/one.git"), path: "work" })).toEqual({
        path: "/workspace/work",
        default_branch: "main",
        head_commit: outer.head("model")
      })
      assert.strictEqual(git("work", "config", "remote.origin.url"), url("/one.git"))
      write("work/b.txt", "b\n")
      yield* invoke("git.commit", { path: "work", message: "b", ...author })
      expect(yield* invoke("git.push", { path: "work" })).toMatchObject({ pushed_refs: ["refs/heads/main"] })
      assert.strictEqual(outer.head("one.git"), head("work"))
      yield* invoke("git.clone", { url: url("/one.git"), path: "shallow", depth: 1 })
      assert.strictEqual(text("shallow/b.txt"), "b\n")
      write("work/c.txt", "c\n")
      yield* invoke("git.commit", { path: "work", message: "c", ...author })
      yield* invoke("git.push", { path: "work" })
      expect(yield* invoke("git.pull", { path: "shallow" })).toMatchObject({ new_commits: 1, files_changed: 1 })
    }), later)

  it.scopedLive("connects to no host that the policy does not name", () =>
    Effect.gen(function*() {
      const { failing, git, invoke, repository, server, url, host } = yield* web(() => ["example.org"])
      for (
        const address of [
          url("/one.git"),
          url("/one.git", "localhost"),
          url("/one.git", "[::1]"),
          url("/one.git", "2130706433"),
          url("/one.git", "0x7f.1"),
          "http://169.254.169.254/x.git",
          "http://user:password@example.org/x.git",
          "https://"
        ]
      ) {
        const error = yield* failing("git.clone", { url: address, path: "copy" })
        assert.strictEqual(error._tag, "CloneFailed", address)
      }
      repository("r")
      git("r", "config", "remote.origin.url", url("/one.git"))
      assert.strictEqual((yield* failing("git.pull", { path: "r" }))._tag, "PullFailed")
      assert.strictEqual((yield* failing("git.push", { path: "r" }))._tag, "PushFailed")
      git("r", "config", "remote.origin.url", "/workspace/none")
      git("r", "config", "remote.origin.pushurl", url("/one.git"))
      assert.strictEqual((yield* failing("git.push", { path: "r" }))._tag, "PushFailed")
      git("r", "config", `url.${url("/")}.insteadOf`, "/workspace/")
      assert.strictEqual((yield* failing("git.pull", { path: "r" }))._tag, "PullFailed")
      yield* invoke("git.status", { path: "r" })
      assert.strictEqual(server.connections(), 0)
      assert.isFalse(fs.existsSync(host("copy")))
    }), later)

  it.scopedLive(
    "connects to the address that was checked, whatever the name means to the machine",
    () =>
      Effect.gen(function*() {
        const names = { addressesOf: () => Effect.succeed(["127.0.0.1"]) }
        const { invoke, server, url } = yield* Effect.provideService(
          web((port) => [`git.invalid:${port}`, `127.0.0.1:${port}`]),
          Resolver,
          names
        )
        yield* invoke("git.clone", { url: url("/one.git", "git.invalid"), path: "work" })
        assert.include(server.hosts, `git.invalid:${server.port}`)
      }),
    later
  )

  it.scopedLive(
    "follows no redirect, answers no question for a password, and says what is wrong",
    () =>
      Effect.gen(function*() {
        const { failing, host, url } = yield* web((port) => [`127.0.0.1:${port}`])
        const reasonOf = (path: string) =>
          Effect.map(
            failing("git.clone", { url: url(path), path: "copy" }),
            ({ _tag, context }) => ({ _tag, ...context })
          )
        expect(yield* reasonOf("/odd/secret")).toEqual({ _tag: "CloneFailed", reason: "authentication" })
        expect(yield* reasonOf("/odd/moved")).toEqual({ _tag: "CloneFailed", reason: "redirected" })
        expect(yield* reasonOf("/odd/away")).toEqual({ _tag: "CloneFailed", reason: "redirected" })
        expect(yield* reasonOf("/none.git")).toEqual({ _tag: "CloneFailed", reason: "not_found" })
        assert.isFalse(fs.existsSync(host("copy")))
      }),
    later
  )

  it.scopedLive("an interruption or a deadline ends git and what it had begun", () =>
    Effect.gen(function*() {
      const { failing, host, invoke, server, url } = yield* web((port) => [`127.0.0.1:${port}`])
      const input = { url: url("/odd/slow"), path: "new/copy" }
      const fiber = yield* Effect.fork(invoke("git.clone", input))
      yield* until("a connection", Effect.sync(() => server.open() > 0))
      yield* Fiber.interrupt(fiber)
      yield* until("the end of it", Effect.sync(() => server.open() === 0))
      assert.isFalse(fs.existsSync(host("new")))
      const late = yield* Effect.provideService(failing("git.clone", input), GitLimits, {
        ...limits,
        remote: "1 second"
      })
      expect(late).toMatchObject({ _tag: "CloneFailed", context: { reason: "timeout" }, retryable: true })
      yield* until("the end of it", Effect.sync(() => server.open() === 0))
      assert.isFalse(fs.existsSync(host("new")))
    }), later)

  it.scopedLive("what is too large is not kept", () =>
    Effect.gen(function*() {
      const { failing, host, invoke, outer, url } = yield* web((port) => [`127.0.0.1:${port}`])
      outer.repository("large", { "a.bin": Array.from({ length: 60_000 }, (_, at) => `${at * 7919} `).join("") })
      outer.git(".", "clone", "--quiet", "--bare", "large", "large.git")
      const small = { ...limits, fileBytes: 65_536 }
      const error = yield* Effect.provideService(
        failing("git.clone", { url: url("/large.git"), path: "copy" }),
        GitLimits,
        small
      )
      assert.strictEqual(error._tag, "CloneFailed")
      assert.include(error.message, "index-pack")
      assert.isFalse(fs.existsSync(host("copy")))
      yield* invoke("git.clone", { url: url("/large.git"), path: "copy" })
    }), later)
})

describe("limits", () => {
  it.scopedLive("git has no more to say than it may, and takes no longer", () =>
    Effect.gen(function*() {
      const { failing, repository, write } = yield* world()
      repository("r")
      for (let index = 0; index < 200; index++) write(`r/file-${index}`, "x")
      const within = (changed: Partial<typeof limits> | { readonly [name: string]: unknown }) =>
        Effect.provideService(failing("git.status", { path: "r" }), GitLimits, { ...limits, ...changed })
      expect(yield* within({ outputBytes: 1000 })).toMatchObject({ _tag: "ResourceExhausted", resource: "git output" })
      expect(yield* within({ local: "1 millis" })).toMatchObject({ _tag: "ResourceExhausted", resource: "git time" })
    }), later)

  it.scopedLive("what changes one repository comes one after the other", () =>
    Effect.gen(function*() {
      const { git, invoke, repository } = yield* world()
      repository("r", { "a.txt": "a", "deep/b.txt": "b" })
      yield* Effect.forEach(
        Array.from({ length: 6 }, (_, index) => index),
        (index) =>
          invoke("git.branch", { path: index % 2 === 0 ? "r" : "r/deep", action: "create", name: `b${index}` }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(git("r", "branch", "--list", "b*").split("\n").length, 6)
    }), later)
})
