import type { Proses } from "../Prose.js"
import type * as entries from "../scheduler.js"

type Scheduler = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const capability = "The capability to invoke, by its full name. The policy applies when it runs."

const inputs = "The arguments to invoke it with, by name."

const description = "What it is for, for you and the supervisor."

const capabilityNotFound = "There is no capability of this name, or you may not use it."

const schedulerError = "The scheduler failed."

/** The words of `scheduler.*`. */
export const scheduler: Proses<Scheduler> = {
  "scheduler.delay": {
    purpose: "Invokes a capability once, after a number of seconds.",
    whenToUse: "Use it for one thing that should happen later, such as a reminder or a second look. For what repeats " +
      "take scheduler.cron_create.",
    inputs: {
      capability,
      inputs,
      delay_seconds: "How many seconds from now it runs.",
      description
    },
    outputs: {
      delay_id: "The id of the delayed invocation.",
      capability: "The capability that will be invoked.",
      fires_at: "When it will be invoked."
    },
    errors: { CapabilityNotFound: capabilityNotFound, SchedulerError: schedulerError },
    sideEffects: ["The capability will be invoked at that time."],
    commonPatterns: [{
      description: "Remind the supervisor of something",
      steps: ["scheduler.delay with capability alerts.send, and its message in inputs", "Keep delay_id"]
    }]
  },
  "scheduler.cron_create": {
    purpose: "Invokes a capability again and again, on a schedule in cron notation.",
    whenToUse: "Use it for work that repeats by the clock. It goes on after this session and across restarts, until " +
      "scheduler.cron_delete ends it. For one time take scheduler.delay.",
    inputs: {
      capability,
      inputs,
      schedule:
        "Five fields: minute, hour, day of the month, month, day of the week. 0 9 * * 1-5 is 9:00 on working days.",
      description
    },
    outputs: {
      cron_id: "The id of the job; keep it for scheduler.cron_delete.",
      schedule: "The schedule as it was understood.",
      next_run: "When it runs next.",
      capability: "The capability that will be invoked."
    },
    errors: {
      InvalidCronExpression: "The schedule does not have five fields, or one of them is out of range.",
      CapabilityNotFound: capabilityNotFound,
      SchedulerError: schedulerError
    },
    sideEffects: ["The capability will be invoked at every time of the schedule."],
    commonPatterns: [{
      description: "Do something every morning",
      steps: [
        "scheduler.cron_list to see that there is no such job yet",
        "scheduler.cron_create with schedule 0 7 * * *",
        "Check next_run"
      ]
    }]
  },
  "scheduler.cron_list": {
    purpose: "Lists your scheduled jobs, with what each invokes and when it runs next.",
    whenToUse: "Use it before making a job, so that there are not two of the same, and to find the id of one.",
    inputs: {},
    outputs: {
      jobs:
        "Each job: id, capability, inputs, schedule, next run, description, whether it is enabled, when it was made.",
      total: "How many jobs there are."
    },
    errors: { SchedulerError: schedulerError },
    sideEffects: [],
    commonPatterns: [{
      description: "Change a job",
      steps: ["scheduler.cron_list and take the cron_id", "scheduler.cron_delete", "scheduler.cron_create anew"]
    }]
  },
  "scheduler.cron_delete": {
    purpose: "Ends a scheduled job for good.",
    whenToUse: "Use it when a job is no longer needed. What it has done stays done. An id that is not known is no " +
      "error: deleted is then false.",
    inputs: { cron_id: "The id that scheduler.cron_create or scheduler.cron_list gave." },
    outputs: { deleted: "Whether there was such a job.", cron_id: "The id that was given." },
    errors: { SchedulerError: schedulerError },
    sideEffects: ["The job is gone and runs no more."],
    commonPatterns: [{
      description: "End all jobs of one kind",
      steps: ["scheduler.cron_list", "scheduler.cron_delete of each job with that capability"]
    }]
  }
}
