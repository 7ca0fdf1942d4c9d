import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../../../support/deadline.js"
import { serveGit } from "./httpServer.js"
import { author, world } from "./support.js"

const later = { timeout: 60_000 }

/** The processes of this machine, by what their command lines hold. */
const processesWith = (text: string): ReadonlyArray<string> =>
  fs.readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && fs.readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text)
    } catch {
      return false
    }
  })

const namespaceOf = (pid: string): string => fs.readlinkSync(`/proc/${pid}/ns/pid`)

describe("git in the sandbox", () => {
  it.scopedLive(
    "has the network only where it talks to another machine, and sees nothing but the workspace and its home",
    (context) =>
      Effect.gen(function*() {
        const outer = yield* world()
        if (!outer.hasSandbox) return context.skip("there is no bubblewrap on this machine")
        outer.repository("model")
        outer.git(".", "clone", "--quiet", "--bare", "model", "one.git")
        const server = yield* serveGit(outer.root)
        const { invoke, launches, root, write } = yield* world([`127.0.0.1:${server.port}`])
        yield* invoke("git.clone", { url: `http://127.0.0.1:${server.port}/one.git`, path: "r" })
        const withNetwork = () =>
          launches.splice(0).flatMap(({ network, program }) =>
            network
              ? [program._tag === "File" ? program.args.filter((arg) => /^(clone|fetch|push)$/.test(arg)) : []]
              : []
          )
        expect(withNetwork()).toEqual([["clone"]])
        write("r/b.txt", "b\n")
        yield* invoke("git.commit", { path: "r", message: "b", ...author })
        yield* invoke("git.status", { path: "r" })
        yield* invoke("git.diff", { path: "r" })
        yield* invoke("git.log", { path: "r" })
        yield* invoke("git.branch", { path: "r", action: "create", name: "x" })
        yield* invoke("git.init", { path: "new" })
        yield* invoke("git.clone", { url: "r", path: "copy" })
        assert.isAbove(launches.length, 20)
        for (const { shared = [], workspace } of launches) {
          assert.strictEqual(workspace, root)
          for (const directory of shared) {
            assert.isTrue(directory === root || directory.includes("kruxos-git-"), directory)
          }
        }
        expect(withNetwork()).toEqual([])
        yield* invoke("git.pull", { path: "r" })
        yield* invoke("git.push", { path: "r" })
        expect(withNetwork()).toEqual([["fetch"], ["push"]])
      }),
    later
  )

  it.scopedLive(
    "runs in a namespace of its own, and nothing of it is left when it is interrupted",
    (context) =>
      Effect.gen(function*() {
        const outer = yield* world()
        if (!outer.hasSandbox) return context.skip("there is no bubblewrap on this machine")
        const server = yield* serveGit(outer.root)
        const { host, invoke } = yield* world([`127.0.0.1:${server.port}`])
        const url = `http://127.0.0.1:${server.port}/odd/slow`
        const helpers = () => processesWith(url).filter((pid) => namespaceOf(pid) !== namespaceOf("self"))
        const fiber = yield* Effect.fork(invoke("git.clone", { url, path: "new/copy" }))
        yield* until("a helper of git in the sandbox", Effect.sync(() => server.open() > 0 && helpers().length > 0))
        yield* Fiber.interrupt(fiber)
        yield* until("the end of it", Effect.sync(() => server.open() === 0 && processesWith(url).length === 0))
        assert.isFalse(fs.existsSync(host("new")))
      }),
    later
  )
})

describe.each(["bubblewrap", "none"] as const)("a repository that is the whole workspace, %s", (choice) => {
  it.scopedLive("does not take in what is the gateway's", () =>
    Effect.gen(function*() {
      const { git, invoke, failing, repository, write } = yield* world([], choice)
      repository(".")
      write(".kruxos/data.db", "secrets\n")
      write(".kruxos-trash/old", "deleted\n")
      write("b.txt", "b\n")
      const before = git(".", "count-objects")
      expect(yield* invoke("git.status", { path: "/workspace" })).toMatchObject({ untracked: ["b.txt"] })
      write(".gitignore", "!/.kruxos/\n!/.kruxos-trash/\n")
      for (const file of [".kruxos/data.db", ".kruxos", ".kruxos-trash/old"]) {
        const { _tag } = yield* failing("git.commit", { path: ".", message: "m", files: [file], ...author })
        assert.include(["InvalidInput", "NothingToCommit", "CommitFailed"], _tag)
      }
      assert.strictEqual(git(".", "count-objects"), before)
      expect(yield* invoke("git.commit", { path: ".", message: "some", files: ["b.txt"], ...author })).toMatchObject({
        files_committed: 1
      })
      write("c.txt", "c\n")
      expect(yield* invoke("git.commit", { path: ".", message: "all", ...author })).toMatchObject({
        files_committed: 2
      })
      assert.strictEqual(git(".", "ls-tree", "-r", "--name-only", "HEAD"), ".gitignore\na.txt\nb.txt\nc.txt")
      write("d.txt", "d\n")
      yield* invoke("git.commit", { path: ".", message: "by the directory", files: ["."], ...author })
      assert.notInclude(git(".", "ls-tree", "-r", "--name-only", "HEAD"), ".kruxos")
    }), later)

  it.scopedLive("does not get files where the gateway has its own", () =>
    Effect.gen(function*() {
      const { failing, git, host, repository, write } = yield* world([], choice)
      repository("model")
      repository(".")
      git(".", "config", "remote.origin.url", "/workspace/model")
      git(".", "checkout", "--quiet", "-b", "hostile")
      write(".kruxos/policy.yaml", "mine\n")
      git(".", "add", "--force", ".kruxos/policy.yaml")
      git(".", "commit", "--quiet", "--message=hostile")
      git("model", "fetch", "--quiet", host("."), "hostile:hostile")
      git(".", "checkout", "--quiet", "main")
      assert.isFalse(fs.existsSync(host(".kruxos/policy.yaml")))
      expect(yield* failing("git.branch", { path: ".", action: "switch", name: "hostile" })).toMatchObject({
        _tag: "InvalidInput"
      })
      expect(yield* failing("git.pull", { path: ".", branch: "hostile" })).toMatchObject({
        _tag: "PullFailed",
        context: { reason: "reserved" }
      })
      assert.isFalse(fs.existsSync(host(".kruxos/policy.yaml")))
      assert.strictEqual(git(".", "symbolic-ref", "HEAD"), "refs/heads/main")
    }), later)
})

describe.each(["bubblewrap", "none"] as const)("git, %s", (choice) => {
  it.scopedLive("writes nowhere in a clone where the workspace really is", () =>
    Effect.gen(function*() {
      const { host, invoke, repository, root } = yield* world([], choice)
      repository("model")
      yield* invoke("git.clone", { url: "model", path: "copy" })
      const files = fs.readdirSync(host("copy/.git"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
      assert.isAbove(files.length, 3)
      for (const { name, parentPath } of files) {
        assert.notInclude(fs.readFileSync(join(parentPath, name), "latin1"), root, name)
      }
    }), later)

  it.scopedLive("knows repositories whose objects have names by SHA-256", () =>
    Effect.gen(function*() {
      const { git, invoke, write } = yield* world([], choice)
      git(".", "init", "--quiet", "--object-format=sha256", "r")
      write("r/a.txt", "a\n")
      const { commit_hash } = yield* invoke("git.commit", { path: "r", message: "m", ...author })
      expect(commit_hash).toMatch(/^[0-9a-f]{64}$/)
      yield* invoke("git.branch", { path: "r", action: "create", name: "x" })
      assert.strictEqual(git("r", "rev-parse", "x"), commit_hash)
      yield* invoke("git.branch", { path: "r", action: "delete", name: "x" })
      assert.strictEqual(git("r", "branch", "--list", "x"), "")
    }), later)

  it.scopedLive(
    "takes objects from no place that links lead to, and reads no endless file",
    () =>
      Effect.gen(function*() {
        const { failing, host, outside, repository, root } = yield* world([], choice)
        repository("r")
        fs.mkdirSync(host("alternate"))
        fs.symlinkSync(outside, host("alternate/pack"))
        fs.mkdirSync(host("r/.git/objects/info"), { recursive: true })
        fs.writeFileSync(host("r/.git/objects/info/alternates"), `${host("alternate")}\n`)
        const error = yield* failing("git.status", { path: "r" })
        assert.strictEqual(error._tag, "PathOutOfScope")
        assert.notInclude(JSON.stringify(error), root)
        fs.mkdirSync(host("long"))
        fs.writeFileSync(host("long/.git"), "gitdir: /\n")
        fs.truncateSync(host("long/.git"), 3 * 1024 ** 3)
        assert.strictEqual((yield* failing("git.status", { path: "long" }))._tag, "NotARepository")
      }),
    later
  )

  it.scopedLive("does not follow a server of plain files to another host", () =>
    Effect.gen(function*() {
      const elsewhere = yield* world()
      elsewhere.repository("model")
      elsewhere.git(".", "clone", "--quiet", "--bare", "model", "one.git")
      const other = yield* serveGit(elsewhere.root)
      const outer = yield* world()
      outer.repository("model")
      outer.git(".", "clone", "--quiet", "--bare", "model", "one.git")
      outer.git("one.git", "update-server-info")
      const server = yield* serveGit(outer.root)
      const { failing, invoke } = yield* world([`127.0.0.1:${server.port}`], choice)
      const url = `http://127.0.0.1:${server.port}/dumb/one.git`
      yield* invoke("git.clone", { url, path: "whole" })
      const objects = outer.host("one.git/objects")
      for (const name of fs.readdirSync(objects)) fs.rmSync(join(objects, name), { recursive: true })
      fs.mkdirSync(join(objects, "info"))
      for (const name of ["http-alternates", "alternates"]) {
        fs.writeFileSync(join(objects, "info", name), `http://127.0.0.1:${other.port}/dumb/one.git/objects\n`)
      }
      assert.strictEqual((yield* failing("git.clone", { url, path: "copy" }))._tag, "CloneFailed")
      assert.strictEqual(other.connections(), 0)
    }), later)
})
