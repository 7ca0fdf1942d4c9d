/** A small project of the shell, with a mistake in it that its tests find. */
import * as Effect from "effect/Effect"
import { Capabilities } from "kruxos"
import { Engineer, NoIdea } from "./agent.js"

const files = {
  "price.sh": [
    "# The price of so many items at so many cents each: a tenth less from ten items on.",
    "price() {",
    "  if [ \"$1\" -gt 10 ]; then echo $(($1 * $2 * 9 / 10)); else echo $(($1 * $2)); fi",
    "}",
    ""
  ],
  "test.sh": [
    ". ./price.sh",
    "failed=0",
    "check() {",
    "  sleep 0.1",
    "  if [ \"$2\" = \"$3\" ]; then echo \"ok      $1\"; else echo \"not ok  $1: $3 instead of $2\"; failed=1; fi",
    "}",
    "check \"one item\" 100 \"$(price 1 100)\"",
    "check \"twenty items\" 1800 \"$(price 20 100)\"",
    "check \"ten items\" 900 \"$(price 10 100)\"",
    "exit $failed",
    ""
  ]
}

/** Makes the repository in the workspace, with one commit on `main`. */
export const makeProject = (path: string) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    yield* invoke("git.init", { path })
    yield* Effect.forEach(
      Object.entries(files),
      ([name, lines]) => invoke("filesystem.write", { path: `${path}/${name}`, content: lines.join("\n") })
    )
    yield* invoke("git.commit", {
      path,
      message: "Sell by the dozen",
      files: Object.keys(files),
      author_name: "Ada",
      author_email: "ada@example.com"
    })
  })

/** Knows this mistake, and no other. */
export const scriptedEngineer = Engineer.of({
  diagnose: (output) =>
    output.some((line) => line.startsWith("not ok  ten items"))
      ? Effect.succeed({
        file: "price.sh",
        replace: "-gt 10",
        by: "-ge 10",
        message: "Give the discount from ten items on"
      })
      : new NoIdea({ message: "None of the tests says why it fails" })
})
