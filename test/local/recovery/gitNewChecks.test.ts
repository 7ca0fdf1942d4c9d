import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { author } from "../capabilities/git/support.js"
import { checked } from "./gitSupport.js"

const later = { timeout: 60_000 }

describe("git.init after a crash", () => {
  it.scopedLive("is found by a new repository with that branch", () =>
    Effect.gen(function*() {
      const { begin, git, repository, write } = yield* checked
      const { after, run } = yield* begin("git.init", { path: "new/r", default_branch: "trunk" })
      expect(yield* after).toEqual({ _tag: "NotDone" })
      const output = yield* run
      expect(yield* after).toEqual({ _tag: "Done", output })
      write("new/r/a.txt", "a\n")
      expect(yield* after).toEqual({ _tag: "Done", output })
      git("new/r", "add", "--all")
      git("new/r", "commit", "--quiet", "--message=theirs")
      assert.strictEqual((yield* after)._tag, "Unknown")

      repository("there")
      const refused = yield* begin("git.init", { path: "there" })
      expect(yield* refused.after).toEqual({ _tag: "NotDone" })

      const half = yield* begin("git.init", { path: "half" })
      write("half/.git/config", "[core]\n")
      assert.strictEqual((yield* half.after)._tag, "Unknown")

      const other = yield* begin("git.init", { path: "other" })
      git(".", "init", "--quiet", "--initial-branch=theirs", "other")
      assert.strictEqual((yield* other.after)._tag, "Unknown")
    }), later)
})

describe("git.clone after a crash", () => {
  it.scopedLive("is found by where it comes from, its branch and its files", () =>
    Effect.gen(function*() {
      const { begin, git, host, repository, write } = yield* checked
      repository("model")
      git("model", "branch", "side")
      git("model", "tag", "v1")
      for (
        const [path, more] of [
          ["one", { url: "model" }],
          ["two", { url: "file:///workspace/model", branch: "side" }],
          ["three/deep", { url: "/workspace/model/", branch: "v1" }]
        ] as const
      ) {
        const { after, run } = yield* begin("git.clone", { path, ...more })
        expect(yield* after).toEqual({ _tag: "NotDone" })
        const output = yield* run
        expect(yield* after).toEqual({ _tag: "Done", output })
      }
      const changed = yield* begin("git.clone", { path: "four", url: "model" })
      yield* changed.run
      write("four/b.txt", "mine\n")
      assert.strictEqual((yield* changed.after)._tag, "Unknown")
      const other = yield* begin("git.clone", { path: "five", url: "model" })
      git(".", "clone", "--quiet", host("one"), "five")
      assert.strictEqual((yield* other.after)._tag, "Unknown")
      const taken = yield* begin("git.clone", { path: "one", url: "model" })
      expect(yield* taken.after).toEqual({ _tag: "NotDone" })
      const half = yield* begin("git.clone", { path: "half", url: "model" })
      git(".", "init", "--quiet", "half")
      assert.strictEqual((yield* half.after)._tag, "Unknown")
    }), later)

  it.scopedLive("gets its files where it has none yet", () =>
    Effect.gen(function*() {
      const { begin, host, repository, text } = yield* checked
      repository("model")
      const { after, run } = yield* begin("git.clone", { path: "copy", url: "model" })
      const output = yield* run
      fs.rmSync(host("copy/a.txt"))
      fs.rmSync(host("copy/.git/index"))
      const found = yield* after
      if (found._tag !== "PartlyDone") return assert.fail(found._tag)
      expect(yield* found.finish).toEqual(output)
      assert.strictEqual(text("copy/a.txt"), "one\n")
      expect(yield* after).toEqual({ _tag: "Done", output })
      // What is changed is not what was cut off.
      fs.rmSync(host("copy/a.txt"))
      assert.strictEqual((yield* after)._tag, "Unknown")
    }), later)
})

describe("git.pull after a crash", () => {
  it.scopedLive(
    "is found gone on with, or joined, with the output that it would have had",
    () =>
      Effect.gen(function*() {
        const { begin, git, host, invoke, repository, write } = yield* checked
        repository("model")
        yield* invoke("git.clone", { url: "model", path: "work" })
        git("work", "config", "user.name", "Ada")
        git("work", "config", "user.email", "ada@example.org")
        const theirs = (file: string) => {
          write(`model/${file}`, `${file}\n`)
          git("model", "add", "--all")
          git("model", "commit", "--quiet", `--message=${file}`)
        }
        const upToDate = yield* begin("git.pull", { path: "work" })
        yield* upToDate.run
        expect(yield* upToDate.after).toEqual({ _tag: "NotDone" })

        theirs("b.txt")
        theirs("c.txt")
        const forward = yield* begin("git.pull", { path: "work" })
        expect(yield* forward.after).toEqual({ _tag: "NotDone" })
        git("work", "fetch", "--quiet", host("model"), "+refs/heads/main:refs/remotes/origin/main")
        expect(yield* forward.after).toEqual({ _tag: "NotDone" })
        const forwarded = yield* forward.run
        expect(forwarded).toMatchObject({ new_commits: 2, files_changed: 2 })
        expect(yield* forward.after).toEqual({ _tag: "Done", output: forwarded })

        theirs("d.txt")
        write("work/mine.txt", "mine\n")
        yield* invoke("git.commit", { path: "work", message: "mine", ...author })
        const joining = yield* begin("git.pull", { path: "work", branch: "main" })
        const joined = yield* joining.run
        expect(yield* joining.after).toEqual({ _tag: "Done", output: joined })
        git("work", "commit", "--quiet", "--allow-empty", "--message=theirs")
        assert.strictEqual((yield* joining.after)._tag, "Unknown")
      }),
    later
  )

  it.scopedLive("that ended in a conflict is asked for again, and says so again", () =>
    Effect.gen(function*() {
      const { begin, failing, git, invoke, repository, write } = yield* checked
      repository("model")
      yield* invoke("git.clone", { url: "model", path: "work" })
      git("work", "config", "user.name", "Ada")
      git("work", "config", "user.email", "ada@example.org")
      write("model/a.txt", "theirs\n")
      git("model", "commit", "--quiet", "--all", "--message=theirs")
      write("work/a.txt", "ours\n")
      git("work", "commit", "--quiet", "--all", "--message=ours")
      const { after, run } = yield* begin("git.pull", { path: "work" })
      assert.strictEqual((yield* Effect.flip(run))._tag, "MergeConflict")
      expect(yield* after).toEqual({ _tag: "NotDone" })
      expect(yield* failing("git.pull", { path: "work" })).toMatchObject({
        _tag: "MergeConflict",
        context: { files: ["a.txt"] }
      })
    }), later)
})
