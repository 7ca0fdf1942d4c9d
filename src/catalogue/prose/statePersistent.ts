import type { Proses } from "../Prose.js"
import type * as entries from "../statePersistent.js"

type Persistent = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const databaseError = "The store of the persistent state failed."

const keyNotFound = "Nothing is stored under the key."

/** The words of `state.persistent.*`. */
export const statePersistent: Proses<Persistent> = {
  "state.persistent.get": {
    purpose: "Reads a value of yours that outlives sessions, in its newest version or an earlier one.",
    whenToUse:
      "Use it at the start of a task for checkpoints, settings and what you learned before. For many keys at " +
      "once take state.persistent.query, for all versions of one state.persistent.history.",
    inputs: { key: "The key.", version: "The version to read; left out, the newest." },
    outputs: {
      value: "The value; without meaning when found is false.",
      version: "The number of the version, from 1.",
      found: "Whether the key holds a value, in this version.",
      created_at: "When the key was first written.",
      updated_at: "When this version was written."
    },
    errors: { KeyNotFound: "Nothing is stored under the key; most gateways say found false instead." },
    sideEffects: [],
    commonPatterns: [{
      description: "Resume from a checkpoint",
      steps: [
        "state.persistent.get of the checkpoint",
        "Start from it when found is true, else from the beginning",
        "state.persistent.set after every step"
      ]
    }]
  },
  "state.persistent.set": {
    purpose: "Stores a JSON value for later sessions, as a new version of its key.",
    whenToUse:
      "Use it for what must survive the session. Only you see it: for other agents take state.shared.set. For " +
      "passing values state.session.set is enough. The last 100 versions of a key are kept, 100 MB in all.",
    inputs: {
      key: "The key; dots make a prefix to list and to query by, as in config.threshold.",
      value: "Any JSON value, null included."
    },
    outputs: { version: "The number of the new version.", previous_version: "The one before; 0 for a new key." },
    errors: { QuotaExceeded: "Your state would grow beyond 100 MB; nothing was stored." },
    sideEffects: [
      "The key has a new version.",
      "Where a key has more than 100 versions, its oldest is dropped.",
      "Every version counts towards your 100 MB."
    ],
    commonPatterns: [{
      description: "Put an older version back",
      steps: ["state.persistent.history of the key", "state.persistent.set with the value of the right version"]
    }]
  },
  "state.persistent.delete": {
    purpose: "Removes a key of yours with all its versions.",
    whenToUse:
      "Use it to free room for good. Nothing brings the versions back: to go back to an earlier value, set it " +
      "again with state.persistent.set.",
    inputs: { key: "The key." },
    outputs: { deleted: "Whether there was something to remove." },
    errors: { KeyNotFound: keyNotFound },
    sideEffects: ["The value is gone.", "All its earlier versions are gone too."],
    commonPatterns: [{
      description: "Make room",
      steps: ["state.persistent.list and find the largest size_bytes", "state.persistent.delete of what is not needed"]
    }]
  },
  "state.persistent.list": {
    purpose: "Lists your persistent keys with version, size and date, without their values.",
    whenToUse: "Use it to see what there is and what takes room. For the values as well take state.persistent.query.",
    inputs: { prefix: "Only keys that begin with this; left out, all." },
    outputs: {
      entries: "The keys, each with its newest version, its size in bytes and when it was written.",
      count: "How many there are.",
      total_size_bytes: "Their size together, in bytes."
    },
    errors: { DatabaseError: databaseError },
    sideEffects: [],
    commonPatterns: [{
      description: "See what earlier sessions left",
      steps: ["state.persistent.list", "state.persistent.get of what looks useful"]
    }]
  },
  "state.persistent.query": {
    purpose: "Reads all your persistent values whose keys begin alike, in one call.",
    whenToUse: "Use it for groups of values, such as config. or research.. For keys and sizes alone take " +
      "state.persistent.list, which is far shorter.",
    inputs: { prefix: "What the keys begin with; empty for all." },
    outputs: {
      entries: "The keys, each with the newest value, its version and its dates.",
      count: "How many there are."
    },
    errors: { DatabaseError: databaseError },
    sideEffects: [],
    commonPatterns: [{
      description: "Load the settings at the start",
      steps: ["state.persistent.query with prefix config."]
    }]
  },
  "state.persistent.history": {
    purpose: "Lists the versions of a persistent key with their values, newest first.",
    whenToUse:
      "Use it to see how a value changed, or to find one to go back to. One version whose number you know is " +
      "cheaper with state.persistent.get.",
    inputs: { key: "The key.", limit: "How many versions to give at most; left out, all that are kept." },
    outputs: { versions: "The versions: value, number and dates.", count: "How many are listed." },
    errors: { KeyNotFound: keyNotFound },
    sideEffects: [],
    commonPatterns: [{
      description: "Undo the last change",
      steps: ["state.persistent.history with limit 2", "state.persistent.set with the value of the second"]
    }]
  }
}
