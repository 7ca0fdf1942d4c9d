import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomUUID } from "node:crypto"
import type { AnyCapability } from "../../catalogue/Capability.js"
import { isReplayable } from "../../catalogue/replayable.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Invocation, Prepared } from "../capabilities/Handler.js"
import type { Arguments } from "../recovery/EffectCheck.js"
import { EffectChecks } from "../recovery/EffectChecks.js"
import { type Keyed, RunOnce } from "./RunOnce.js"

// They do nothing, or what is gone with the gateway, so that they can only have done nothing.
const traceless: ReadonlySet<string> = new Set([
  "filesystem.search_content",
  "filesystem.watch",
  "state.session.clear",
  "state.session.delete",
  "state.session.set",
  "state.shared.watch"
])

/**
 * Makes what runs the handlers of keyed invocations outside of transactions, so that a later gateway can find out what they have
 * done. One that changes what another one changes waits until that is recorded.
 */
export const make = Effect.gen(function*() {
  const checks = yield* EffectChecks
  const runOnce = yield* RunOnce

  return (
    keyed: Keyed,
    capability: AnyCapability,
    input: Arguments,
    invocation: Invocation,
    run: Prepared
  ): Effect.Effect<unknown, KruxosError> => {
    if (isReplayable(capability) || traceless.has(capability.name)) return run(invocation)
    const check = checks.get(capability.name)
    if (check === undefined) return runOnce.enter(keyed, undefined, run(invocation))
    const { agent, workspace } = invocation
    const source = `run-${randomUUID()}`
    const context = { agent: agent.name, workspace, source }
    return check.alone(
      input,
      context,
      Effect.flatMap(Effect.option(check.before(input, context)), (before) =>
        runOnce.enter(
          keyed,
          Option.getOrUndefined(
            Option.map(
              before,
              (known) => ({ arguments: check.kept(input), workspace: workspace.root, source, before: known })
            )
          ),
          run({ ...invocation, source })
        ))
    )
  }
})
