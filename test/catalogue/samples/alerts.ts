import type { Samples } from "./Sample.js"

/** An input and an output of each capability of `alerts.*`, as they go over the wire. */
export const alerts = {
  "alerts.send": {
    input: {
      message: "Page 7 cannot be read",
      severity: "warning",
      title: "The import stopped",
      context: { page: 7, tried: ["once", "twice"], last: null }
    },
    output: { alert_id: "alert-1", delivered_to: "file_queue", severity: "warning" }
  },
  "alerts.list": {
    input: { status: "acknowledged", limit: 1 },
    output: {
      alerts: [
        {
          alert_id: "alert-1",
          message: "Page 7 cannot be read",
          severity: "warning",
          status: "acknowledged",
          created_at: "2025-01-31T08:00:00.000Z",
          acknowledged_at: "2025-01-31T08:10:00.000Z",
          acknowledged_by: "ada"
        },
        {
          alert_id: "alert-2",
          message: "Done",
          severity: "info",
          status: "pending",
          created_at: "2025-01-31T09:00:00.000Z",
          acknowledged_at: null,
          acknowledged_by: null
        }
      ],
      total: 2
    }
  },
  "alerts.acknowledge": {
    input: { alert_id: "alert-2", acknowledged_by: "ada" },
    output: { acknowledged: true, alert_id: "alert-2" }
  }
} satisfies Samples
