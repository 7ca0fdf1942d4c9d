import type { BuiltIn } from "../builtIn.js"
import type { Proses } from "../Prose.js"
import { agent } from "./agent.js"
import { comms } from "./comms.js"
import { filesystem } from "./filesystem.js"
import { system } from "./system.js"

/** The words of the capabilities that this version of the package types, by name. */
export const builtInProse: Proses<BuiltIn> = { ...agent, ...comms, ...filesystem, ...system }
