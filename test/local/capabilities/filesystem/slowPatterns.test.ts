import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { searchContent } from "../../../../src/local/capabilities/filesystem/searchContent.js"
import { writeTree } from "./tree.js"
import { invocationFixture } from "./workspaceSupport.js"

const inputOf = Schema.decodeUnknownSync(filesystem.searchContent.handlerInputSchema)

/** Each would keep an engine that backtracks busy for longer than anybody lives. */
const patterns = [
  "(a+)+$",
  "(a|a)*$",
  "(a|aa)+$",
  "([a-zA-Z]+)*$",
  "(x+x+)+y",
  "(.*a){20}$",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(?:a?){30}a{30}$",
  "^(.*?,){30}P",
  "(?:a*)*b$",
  "(a{1,100}){1,100}$"
]

const texts = {
  "one.txt": `${"a".repeat(50_000)}!`,
  "two.txt": `${"x".repeat(50_000)}!`,
  "three.txt": `${"1,".repeat(25_000)}!`,
  "four.txt": `${"a".repeat(200)}!\n`.repeat(500)
}

describe("filesystem.search_content", () => {
  it.scopedLive.each(patterns)("is done with %s within a second", (pattern) =>
    Effect.gen(function*() {
      const { invocation, root } = yield* invocationFixture
      writeTree(root, texts)
      const [took, found] = yield* Effect.timed(
        Effect.either(searchContent(inputOf({ path: ".", pattern, regex: true, total_only: true }), invocation))
      )
      // Finished with an answer, or refused for what it is.
      if (Either.isLeft(found)) assert.strictEqual(found.left._tag, "InvalidPattern")
      assert.isBelow(Duration.toMillis(took), 1000)
    }))
})
