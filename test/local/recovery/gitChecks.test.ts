import { assert, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { author } from "../capabilities/git/support.js"
import { checked } from "./gitSupport.js"

const later = { timeout: 60_000 }

it.scopedLive(
  "a commit is found by its place and its message, with the output that it would have had",
  () =>
    Effect.gen(function*() {
      const { begin, git, repository, write } = yield* checked
      repository("r")
      write("r/a.txt", "two\n")
      const { after, run } = yield* begin("git.commit", { path: "r", message: "m \n\n\n\nbody\n", ...author })
      expect(yield* after).toEqual({ _tag: "NotDone" })
      git("r", "add", "--all")
      expect(yield* after).toEqual({ _tag: "NotDone" })
      expect(yield* run).toEqual(yield* Effect.map(after, (found) => found._tag === "Done" ? found.output : found))
      git("r", "commit", "--quiet", "--allow-empty", "--message=theirs")
      assert.strictEqual((yield* after)._tag, "Unknown")
      const other = yield* begin("git.commit", { path: "r", message: "mine", ...author })
      git("r", "commit", "--quiet", "--allow-empty", "--message=theirs")
      assert.strictEqual((yield* other.after)._tag, "Unknown")
    }),
  later
)

it.scopedLive("branches are found made, switched to and deleted", () =>
  Effect.gen(function*() {
    const { begin, git, repository } = yield* checked
    repository("r")
    for (const [action, name] of [["create", "x"], ["switch", "x"], ["delete", "main"]] as const) {
      const { after, run } = yield* begin("git.branch", { path: "r", action, name })
      expect(yield* after).toEqual({ _tag: "NotDone" })
      const output = yield* run
      expect(yield* after).toEqual({ _tag: "Done", output })
    }
    const moved = yield* begin("git.branch", { path: "r", action: "delete", name: "x" })
    git("r", "commit", "--quiet", "--allow-empty", "--message=theirs")
    assert.strictEqual((yield* moved.after)._tag, "Unknown")
    const list = yield* begin("git.branch", { path: "r", action: "list" })
    expect(yield* list.after).toEqual({ _tag: "NotDone" })
  }), later)
