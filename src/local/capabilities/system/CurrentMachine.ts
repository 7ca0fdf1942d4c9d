import * as Context from "effect/Context"
import type { Machine } from "./Machine.js"
import { nodeMachine } from "./nodeMachine.js"

/** The machine that `system.*` reads: the one that the process runs on, unless a test provides another. */
export class CurrentMachine extends Context.Reference<CurrentMachine>()("kruxos/local/CurrentMachine", {
  defaultValue: (): Machine => nodeMachine
}) {}
