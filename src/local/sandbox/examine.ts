import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { Sandbox, type SandboxChoice, type SandboxFacts } from "./Sandbox.js"
import { layer } from "./sandboxLayer.js"

/** What would hold the programs of a gateway on this machine; tries it. */
export const sandboxFacts = (choice: SandboxChoice | undefined): Effect.Effect<SandboxFacts> =>
  Sandbox.pipe(Effect.flatMap(({ facts }) => facts), Effect.provide(layer({ choice })))

/** What git says of its version; undefined where there is none. */
export const gitVersion: Effect.Effect<string | undefined> = Effect.async((resume) => {
  const child = execFile("git", ["--version"], { timeout: 10_000 }, (failure, stdout) => {
    resume(Effect.succeed(failure === null ? stdout.trim() : undefined))
  })
  return Effect.sync(() => void child.kill("SIGKILL"))
})
