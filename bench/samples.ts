import { agent } from "../test/catalogue/samples/agent.js"
import { alerts } from "../test/catalogue/samples/alerts.js"
import { comms } from "../test/catalogue/samples/comms.js"
import { email } from "../test/catalogue/samples/email.js"
import { filesystem } from "../test/catalogue/samples/filesystem.js"
import { git } from "../test/catalogue/samples/git.js"
import { network } from "../test/catalogue/samples/network.js"
import { process } from "../test/catalogue/samples/process.js"
import { proxy } from "../test/catalogue/samples/proxy.js"
import type { Samples } from "../test/catalogue/samples/Sample.js"
import { scheduler } from "../test/catalogue/samples/scheduler.js"
import { secrets } from "../test/catalogue/samples/secrets.js"
import { slack } from "../test/catalogue/samples/slack.js"
import { state } from "../test/catalogue/samples/state.js"
import { system } from "../test/catalogue/samples/system.js"

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
