import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import type { AuditBuffer } from "../../audit/AuditBuffer.js"
import type { Agents } from "../../store/Agents.js"
import type { HandlersOf } from "../Handler.js"
import { makeHealth } from "./health.js"
import type { HealthCheck } from "./healthCheck.js"
import { makeInfo } from "./info.js"
import { makeMetrics } from "./metrics.js"
import { MachineSampler } from "./Sampler.js"
import { timeHandler } from "./time.js"

/** The handlers of `system.*`. */
export const makeSystemHandlers: Effect.Effect<
  HandlersOf<BuiltIn, "system">,
  never,
  Agents | AuditBuffer | HealthCheck | MachineSampler
> = Effect.gen(function*() {
  const sampler = yield* MachineSampler
  return {
    "system.info": yield* makeInfo,
    "system.health": yield* makeHealth,
    "system.metrics": makeMetrics(sampler),
    "system.time": timeHandler
  }
})
