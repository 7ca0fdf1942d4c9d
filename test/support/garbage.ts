import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose_gc")
const collectGarbage: () => void = runInNewContext("gc")

/** The memory of this process in bytes once what nothing holds any more is freed, some of it in later turns. */
export const keptMemory: Effect.Effect<NodeJS.MemoryUsage> = Effect.sync(collectGarbage).pipe(
  Effect.delay("50 millis"),
  Effect.repeatN(1),
  Effect.zipRight(Effect.sleep("10 millis")),
  Effect.map(() => process.memoryUsage())
)
