import type { Samples } from "./Sample.js"

const inputs = { message: "look again", context: { ids: [1, null], deep: { yes: true } } }

/** An input and an output of each capability of `scheduler.*`, as they go over the wire. */
export const scheduler = {
  "scheduler.delay": {
    input: { capability: "alerts.send", inputs, delay_seconds: 90, description: "a reminder" },
    output: { delay_id: "delay-1", capability: "alerts.send", fires_at: "2025-01-31T08:01:30.000Z" }
  },
  "scheduler.cron_create": {
    input: { capability: "alerts.send", inputs, schedule: "0 9 * * 1-5", description: "every working day" },
    output: {
      cron_id: "cron-1",
      schedule: "0 9 * * 1-5",
      next_run: "2025-02-03T09:00:00.000Z",
      capability: "alerts.send"
    }
  },
  "scheduler.cron_list": {
    input: {},
    output: {
      jobs: [
        {
          cron_id: "cron-1",
          capability: "alerts.send",
          inputs,
          schedule: "0 9 * * 1-5",
          next_run: "2025-02-03T09:00:00.000Z",
          description: "every working day",
          enabled: true,
          created_at: "2025-01-31T08:00:00.000Z"
        },
        {
          cron_id: "cron-2",
          capability: "system.health",
          inputs: null,
          schedule: "*/5 * * * *",
          next_run: "2025-01-31T08:05:00.000Z",
          description: null,
          enabled: false,
          created_at: "2025-01-31T08:00:00.000Z"
        }
      ],
      total: 2
    }
  },
  "scheduler.cron_delete": {
    input: { cron_id: "cron-9" },
    output: { deleted: false, cron_id: "cron-9" }
  }
} satisfies Samples
