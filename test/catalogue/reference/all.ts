import { agent } from "./agent.js"
import { alerts } from "./alerts.js"
import { comms } from "./comms.js"
import type { Reference } from "./Documented.js"
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

/** What KruxOS documents, by category. */
export const categories: { readonly [category: string]: Reference } = {
  agent,
  alerts,
  comms,
  email,
  filesystem,
  git,
  network,
  process,
  proxy,
  scheduler,
  secrets,
  slack,
  state,
  system
}

/** What KruxOS documents, by name. */
export const reference: Reference = Object.fromEntries(
  Object.values(categories).flatMap((category) => Object.entries(category))
)
