import { agent } from "./agent.js"
import { alerts } from "./alerts.js"
import { comms } from "./comms.js"
import { email } from "./email.js"
import { filesystem } from "./filesystem.js"
import { git } from "./git.js"
import { network } from "./network.js"
import { process } from "./process.js"
import { proxy } from "./proxy.js"
import type { Samples } from "./Sample.js"
import { scheduler } from "./scheduler.js"
import { secrets } from "./secrets.js"
import { slack } from "./slack.js"
import { state } from "./state.js"
import { system } from "./system.js"

/** An input and an output of each capability, as they go over the wire. */
export const samples: Samples = {
  ...agent,
  ...alerts,
  ...comms,
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
