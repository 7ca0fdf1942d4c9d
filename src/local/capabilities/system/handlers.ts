import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import type { Agents } from "../../store/Agents.js"
import type { ApprovalRequests } from "../../store/Approvals.js"
import type { HandlersOf } from "../Handler.js"
import { makeHealth } from "./health.js"
import { makeInfo } from "./info.js"
import { makeMetrics } from "./metrics.js"
import * as Sampler from "./Sampler.js"
import { timeHandler } from "./time.js"

/** The handlers of `system.*`. The machine is sampled until the scope ends. */
export const makeSystemHandlers: Effect.Effect<
  HandlersOf<BuiltIn, "system">,
  never,
  Agents | ApprovalRequests | Scope.Scope
> = Effect.gen(function*() {
  const sampler = yield* Sampler.make
  return {
    "system.info": yield* makeInfo,
    "system.health": yield* makeHealth(sampler),
    "system.metrics": makeMetrics(sampler),
    "system.time": timeHandler
  }
})
