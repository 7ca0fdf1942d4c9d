import * as Schema from "effect/Schema"
import { CapabilityNotFound, CapabilityUnavailable } from "../errors/general.js"
import { InvalidCronExpression } from "../errors/scheduler.js"
import { DateTimeUtc, Integer, Json, NonNegativeInteger, WireType } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const CronExpression = Schema.String.annotations({ [WireType]: "CronExpression" })

const Arguments = Schema.Record({ key: Schema.String, value: Json })

const failed = { SchedulerError: failure(CapabilityUnavailable, "retry") }

const ofAnother = { CapabilityNotFound: failure(CapabilityNotFound, "list_capabilities"), ...failed }

export const delay = make("scheduler.delay", {
  tier: "notify",
  tags: ["scheduler", "automation"],
  inputs: {
    capability: Schema.String,
    inputs: optional(Arguments),
    delay_seconds: NonNegativeInteger,
    description: optional(Schema.String)
  },
  outputs: { delay_id: Schema.String, capability: Schema.String, fires_at: DateTimeUtc },
  errors: ofAnother,
  sideEffects: ["reversible"]
})

export const cronCreate = make("scheduler.cron_create", {
  tier: "notify",
  tags: ["scheduler", "cron", "automation"],
  inputs: {
    capability: Schema.String,
    inputs: optional(Arguments),
    schedule: CronExpression,
    description: optional(Schema.String)
  },
  outputs: {
    cron_id: Schema.String,
    schedule: CronExpression,
    next_run: DateTimeUtc,
    capability: Schema.String
  },
  errors: { InvalidCronExpression: failure(InvalidCronExpression, "fix_expression"), ...ofAnother },
  sideEffects: ["reversible"]
})

export const cronList = make("scheduler.cron_list", {
  tier: "autonomous",
  tags: ["scheduler", "cron", "safe", "read"],
  inputs: {},
  outputs: {
    jobs: Schema.Array(Schema.Struct({
      cron_id: Schema.String,
      capability: Schema.String,
      inputs: Schema.NullishOr(Arguments),
      schedule: CronExpression,
      next_run: DateTimeUtc,
      description: Schema.NullishOr(Schema.String),
      enabled: Schema.Boolean,
      created_at: DateTimeUtc
    })),
    total: Integer
  },
  errors: failed
})

export const cronDelete = make("scheduler.cron_delete", {
  tier: "notify",
  tags: ["scheduler", "cron", "delete"],
  inputs: { cron_id: Schema.String },
  outputs: { deleted: Schema.Boolean, cron_id: Schema.String },
  errors: failed,
  sideEffects: ["not reversible"]
})
