import type { Tables } from "./gaps.js"
import { agent } from "./rows/agent.js"
import { alerts } from "./rows/alerts.js"
import { archive } from "./rows/archive.js"
import { comms } from "./rows/comms.js"
import { filesReading } from "./rows/filesReading.js"
import { filesWriting } from "./rows/filesWriting.js"
import { git } from "./rows/git.js"
import { network } from "./rows/network.js"
import { processes } from "./rows/process.js"
import { scheduler } from "./rows/scheduler.js"
import { secrets } from "./rows/secrets.js"
import { sessionState } from "./rows/stateOfSessions.js"
import { persistentState } from "./rows/statePersistent.js"
import { sharedState } from "./rows/stateShared.js"
import { system } from "./rows/system.js"

/** The tables by the name of the test file that runs them. */
export const tables = {
  agent: { ...agent, ...system },
  archive,
  filesystem: { ...filesReading, ...filesWriting },
  git,
  messages: { ...alerts, ...comms, ...scheduler },
  network,
  process: processes,
  secrets,
  state: { ...persistentState, ...sessionState, ...sharedState }
}

export const rows: Tables = Object.assign({}, ...Object.values(tables))
