import * as agent from "./agent.js"
import * as alerts from "./alerts.js"
import * as Catalogue from "./Catalogue.js"
import * as comms from "./comms.js"
import * as commsSending from "./commsSending.js"
import * as email from "./email.js"
import * as filesystem from "./filesystem.js"
import * as git from "./git.js"
import * as network from "./network.js"
import * as process from "./process.js"
import * as proxy from "./proxy.js"
import * as scheduler from "./scheduler.js"
import * as secrets from "./secrets.js"
import * as slack from "./slack.js"
import * as stateArchive from "./stateArchive.js"
import * as statePersistent from "./statePersistent.js"
import * as stateSession from "./stateSession.js"
import * as stateShared from "./stateShared.js"
import * as system from "./system.js"

/** The capabilities that this version of the package types, by name: all of KruxOS's own. */
export const builtIn = Catalogue.make(
  ...Object.values(agent),
  ...Object.values(alerts),
  ...Object.values(comms),
  ...Object.values(commsSending),
  ...Object.values(email),
  ...Object.values(filesystem),
  ...Object.values(git),
  ...Object.values(network),
  ...Object.values(process),
  ...Object.values(proxy),
  ...Object.values(scheduler),
  ...Object.values(secrets),
  ...Object.values(slack),
  ...Object.values(stateArchive),
  ...Object.values(statePersistent),
  ...Object.values(stateSession),
  ...Object.values(stateShared),
  ...Object.values(system)
)
export type BuiltIn = typeof builtIn
