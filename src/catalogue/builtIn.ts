import * as agent from "./agent.js"
import * as Catalogue from "./Catalogue.js"
import * as comms from "./comms.js"
import * as filesystem from "./filesystem.js"
import * as system from "./system.js"

/** The capabilities that this version of the package types, by name. */
export const builtIn = Catalogue.make(
  ...Object.values(agent),
  ...Object.values(comms),
  ...Object.values(filesystem),
  ...Object.values(system)
)
export type BuiltIn = typeof builtIn
