import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Capabilities, Gateway } from "kruxos"

const program = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  const { content } = yield* invoke("filesystem.read", { path: "/workspace/notes.txt" }).pipe(
    Effect.catchTag("FileNotFound", () => Effect.succeed({ content: "" }))
  )
  const { commits } = yield* invoke("git.log", { path: "/workspace/project", limit: 10 })
  yield* Effect.log(content, commits.length)
})

Effect.runFork(
  program.pipe(Effect.provide(Gateway.layer({ host: "localhost:7700", apiKey: Redacted.make("an agent's key") })))
)
