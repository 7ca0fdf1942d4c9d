import type { BuiltIn } from "../builtIn.js"
import type { Proses } from "../Prose.js"
import { agent } from "./agent.js"
import { alerts } from "./alerts.js"
import { comms } from "./comms.js"
import { sending } from "./commsSending.js"
import { email } from "./email.js"
import { filesystem } from "./filesystem.js"
import { git } from "./git.js"
import { network } from "./network.js"
import { process } from "./process.js"
import { proxy } from "./proxy.js"
import { scheduler } from "./scheduler.js"
import { secrets } from "./secrets.js"
import { slack } from "./slack.js"
import { state } from "./state.js"
import { system } from "./system.js"

/** The words of the capabilities that this version of the package types, by name. */
export const builtInProse: Proses<BuiltIn> = {
  ...agent,
  ...alerts,
  ...comms,
  ...sending,
  ...email,
  ...filesystem,
  ...git,
  ...network,
  ...process,
  ...proxy,
  ...scheduler,
  ...secrets,
  ...slack,
  ...state,
  ...system
}
