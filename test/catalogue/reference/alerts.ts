import type { Reference } from "./Documented.js"

/** `alerts.*`, as documented. */
export const alerts: Reference = {
  "alerts.send": {
    tier: "autonomous",
    version: "1.0",
    tags: "alerts, supervision, safe",
    inputs: { message: "String", severity: "String? = \"info\"", title: "String?", context: "Object?" },
    outputs: { alert_id: "String", delivered_to: "String", severity: "String" },
    errors: { AlertError: "retry" },
    sideEffects: ["not reversible"]
  },
  "alerts.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "alerts, supervision, safe, read",
    inputs: { status: "String? = \"all\"", limit: "Integer? = 50" },
    outputs: { alerts: "Array", total: "Integer" },
    errors: { AlertError: "retry" }
  },
  "alerts.acknowledge": {
    tier: "notify",
    version: "1.0",
    tags: "alerts, supervision, acknowledge",
    inputs: { alert_id: "String", acknowledged_by: "String?" },
    outputs: { acknowledged: "Boolean", alert_id: "String" },
    errors: { AlertNotFound: "list_alerts", AlertError: "retry" },
    sideEffects: ["not reversible"]
  }
}
