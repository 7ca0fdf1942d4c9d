import type * as entries from "../alerts.js"
import type { Proses } from "../Prose.js"

type Alerts = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const alertError = "The gateway could not store or read alerts."

/** The words of `alerts.*`. */
export const alerts: Proses<Alerts> = {
  "alerts.send": {
    purpose: "Sends an alert to the supervisor, the human who watches over this agent.",
    whenToUse: "Use it for what a human should know: a failure, a doubt, a result that matters. Nobody answers it by " +
      "itself. For another agent take comms.send.",
    inputs: {
      message: "What happened, and what you need.",
      severity: "info to inform, warning when something needs attention, critical when it cannot wait.",
      title: "A short heading.",
      context: "Details as JSON, such as ids and paths. Put no secrets into it."
    },
    outputs: {
      alert_id: "The id of the alert.",
      delivered_to: "dashboard when the supervisor's view has it, file_queue when it waits to be fetched.",
      severity: "How urgent it was marked."
    },
    errors: { AlertError: alertError },
    sideEffects: ["The supervisor has the alert, and may have been notified."],
    commonPatterns: [{
      description: "Report that the work cannot go on",
      steps: [
        "Save what is done",
        "alerts.send with severity warning, what failed as the message, and the ids as the context"
      ]
    }]
  },
  "alerts.list": {
    purpose: "Lists alerts, with whether the supervisor has acknowledged them.",
    whenToUse: "Use it to see whether somebody took notice, or whether the same alert was sent already.",
    inputs: { status: "Only alerts in this state.", limit: "How many to give at most." },
    outputs: {
      alerts: "Each alert: id, message, severity, status, when it was sent, and when and by whom it was acknowledged.",
      total: "How many there are in this state."
    },
    errors: { AlertError: alertError },
    sideEffects: [],
    commonPatterns: [{
      description: "Do not alert twice",
      steps: ["alerts.list with status pending", "alerts.send if none says the same"]
    }]
  },
  "alerts.acknowledge": {
    purpose: "Marks an alert as seen and dealt with.",
    whenToUse: "Use it when the cause of an alert is gone, or when you are the one who looks after alerts. One that " +
      "was acknowledged before is no error: acknowledged is then false.",
    inputs: {
      alert_id: "The id that alerts.send or alerts.list gave.",
      acknowledged_by: "Who acknowledges it; left out, you."
    },
    outputs: { acknowledged: "Whether this call acknowledged it.", alert_id: "The alert." },
    errors: { AlertNotFound: "There is no alert of this id.", AlertError: alertError },
    sideEffects: ["The alert is no longer pending."],
    commonPatterns: [{
      description: "Close alerts that are settled",
      steps: ["alerts.list with status pending", "alerts.acknowledge of each whose cause is gone"]
    }]
  }
}
