import * as Effect from "effect/Effect"
import type { EffectCheck } from "../../../src/local/recovery/EffectCheck.js"
import { gitChecks } from "../../../src/local/recovery/gitChecks.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import { Sandbox } from "../../../src/local/sandbox/Sandbox.js"
import { world } from "../capabilities/git/support.js"

type Name = "git.branch" | "git.clone" | "git.commit" | "git.init" | "git.pull"

/** A workspace, and what an agent does in it as if it were asked afterwards whether it was done. */
export const checked = Effect.gen(function*() {
  const made = yield* world()
  const checks = new Map<string, EffectCheck>(
    (yield* Effect.provideService(gitChecks, Sandbox, made.sandbox)).map((check) => check(Turns.make()))
  )
  const context = { agent: "agent", workspace: made.workspace, source: "session" }
  const begin = (name: Name, input: { readonly [name: string]: unknown }) =>
    Effect.gen(function*() {
      const check = checks.get(name)
      if (check === undefined) return yield* Effect.dieMessage(`no check of ${name}`)
      const before: unknown = JSON.parse(JSON.stringify(yield* Effect.orDie(check.before(input, context))))
      return { run: made.invoke(name, input), after: check.after(input, before, context) }
    })
  return { ...made, begin }
})
