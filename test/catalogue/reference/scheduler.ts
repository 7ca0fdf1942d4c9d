import type { Reference } from "./Documented.js"

/** `scheduler.*`, as documented. */
export const scheduler: Reference = {
  "scheduler.delay": {
    tier: "notify",
    version: "1.0",
    tags: "scheduler, automation",
    inputs: { capability: "String", inputs: "Object?", delay_seconds: "Integer", description: "String?" },
    outputs: { delay_id: "String", capability: "String", fires_at: "DateTime" },
    errors: { CapabilityNotFound: "list_capabilities", SchedulerError: "retry" },
    sideEffects: ["reversible"]
  },
  "scheduler.cron_create": {
    tier: "notify",
    version: "1.0",
    tags: "scheduler, cron, automation",
    inputs: { capability: "String", inputs: "Object?", schedule: "CronExpression", description: "String?" },
    outputs: { cron_id: "String", schedule: "CronExpression", next_run: "DateTime", capability: "String" },
    errors: {
      InvalidCronExpression: "fix_expression",
      CapabilityNotFound: "list_capabilities",
      SchedulerError: "retry"
    },
    sideEffects: ["reversible"]
  },
  "scheduler.cron_list": {
    tier: "autonomous",
    version: "1.0",
    tags: "scheduler, cron, safe, read",
    inputs: {},
    outputs: { jobs: "Array", total: "Integer" },
    errors: { SchedulerError: "retry" }
  },
  "scheduler.cron_delete": {
    tier: "notify",
    version: "1.0",
    tags: "scheduler, cron, delete",
    inputs: { cron_id: "String" },
    outputs: { deleted: "Boolean", cron_id: "String" },
    errors: { SchedulerError: "retry" },
    sideEffects: ["not reversible"]
  }
}
