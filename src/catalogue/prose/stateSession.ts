import type { Proses } from "../Prose.js"
import type * as entries from "../stateSession.js"

type Session = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const sessionNotFound = "The session is over, and its state with it."

/** The words of `state.session.*`. */
export const stateSession: Proses<Session> = {
  "state.session.get": {
    purpose: "Reads a value that you stored in this session.",
    whenToUse: "Use it for scratch values of the present task. What was stored in an earlier session is in " +
      "state.persistent.get, what other agents share in state.shared.get.",
    inputs: { key: "The key." },
    outputs: { value: "The value; without meaning when found is false.", found: "Whether the key holds a value." },
    errors: { SessionNotFound: sessionNotFound },
    sideEffects: [],
    commonPatterns: [{
      description: "Go on with a task in steps",
      steps: ["state.session.get of the progress", "Do the next step", "state.session.set of the new progress"]
    }]
  },
  "state.session.set": {
    purpose: "Stores a JSON value in memory until the session ends.",
    whenToUse: "Use it for what need not outlive the session: progress, intermediate results. It keeps no versions " +
      "and holds 50 MB. What must survive a restart is for state.persistent.set.",
    inputs: {
      key: "The key; dots make a prefix to list by, as in task.current.",
      value: "Any JSON value, null included."
    },
    outputs: {
      previous_value: "The value before; without meaning when overwritten is false.",
      overwritten: "Whether the key held a value before."
    },
    errors: {
      SessionNotFound: sessionNotFound,
      QuotaExceeded: "The session state would grow beyond 50 MB; nothing was stored."
    },
    sideEffects: ["The key holds the new value; the old one is only in the answer."],
    commonPatterns: [{
      description: "Remember where a long task is",
      steps: ["state.session.set of task.current after every step", "state.session.delete of it at the end"]
    }]
  },
  "state.session.delete": {
    purpose: "Removes one value from the session state.",
    whenToUse: "Use it to free room or to mark something as done. state.session.clear removes everything at once. A " +
      "missing key is no error.",
    inputs: { key: "The key." },
    outputs: {
      previous_value: "The value that was removed; without meaning when deleted is false.",
      deleted: "Whether there was something to remove."
    },
    errors: { SessionNotFound: sessionNotFound },
    sideEffects: ["The value is gone; the answer holds it for the last time."],
    commonPatterns: [{
      description: "Clean up after a task",
      steps: ["state.session.list with the task's prefix", "state.session.delete of each key"]
    }]
  },
  "state.session.list": {
    purpose: "Lists the keys of the session state in order, without their values.",
    whenToUse: "Use it to see what is stored, or which keys begin alike. The values come from state.session.get.",
    inputs: { prefix: "Only keys that begin with this; left out, all." },
    outputs: { keys: "The keys, sorted.", count: "How many there are." },
    errors: { SessionNotFound: sessionNotFound },
    sideEffects: [],
    commonPatterns: [{
      description: "Read all values of a task",
      steps: ["state.session.list with the task's prefix", "state.session.get of each key"]
    }]
  },
  "state.session.clear": {
    purpose: "Removes everything from the session state.",
    whenToUse: "Use it to start over, when nothing of it is needed. For single keys take state.session.delete. " +
      "Persistent and shared state stay as they are.",
    inputs: {},
    outputs: { removed_count: "How many keys were removed." },
    errors: { SessionNotFound: sessionNotFound },
    sideEffects: ["All values of the session are gone."],
    commonPatterns: [{
      description: "Begin another task with a clean slate",
      steps: ["state.persistent.set of what is to be kept", "state.session.clear"]
    }]
  }
}
