import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import { invalidInputOf } from "../../catalogue/invalidInput.js"
import { CapabilityNotFound, CapabilityUnavailable, InvalidInput, ResourceExhausted } from "../../errors/general.js"
import { InvalidCronExpression } from "../../errors/scheduler.js"
import * as CronSchedule from "../scheduler/cron.js"
import type { Agent } from "../store/Agents.js"
import { Schedules, type TooManySchedules } from "../store/Schedules.js"
import { Directory } from "./Directory.js"
import type { HandlersOf } from "./Handler.js"

const longest = { description: 1024, inputs: 65_536 }

/** A year. */
const longestDelaySeconds = 31_536_000

const schedulerError = (cause: SqlError) =>
  new CapabilityUnavailable({
    type: "SchedulerError",
    reason: "SchedulerError",
    message: "The gateway's store of schedules does not answer",
    retryable: true,
    cause
  })

const tooMany = ({ kind, limit }: TooManySchedules) =>
  kind === "cron"
    ? new ResourceExhausted({
      message: `The agent has ${limit} cron jobs, as many as it may: delete those that are not needed`,
      resource: "cron_jobs",
      limit,
      current: limit
    })
    : new ResourceExhausted({
      message: `${limit} delayed invocations of the agent wait, as many as may`,
      resource: "delayed_invocations",
      limit,
      current: limit,
      retryable: true
    })

const tooLong = (field: string, most: number) =>
  new InvalidInput({
    message: `${field} can have ${most} characters at most`,
    field,
    reason: `longer than ${most} characters`
  })

const invalidExpression = (expression: string, reason: string) =>
  new InvalidCronExpression({
    message: `The schedule is not a cron expression of five fields: ${reason}`,
    expression: expression.slice(0, CronSchedule.longestExpression)
  })

const failures = { SqlError: schedulerError, TooManySchedules: tooMany }

interface Planned {
  readonly capability: string
  readonly inputs?: { readonly [name: string]: unknown } | undefined
  readonly description?: string | undefined
}

/** The handlers of `scheduler.*`. An agent has its own jobs and sees no others. */
export const makeSchedulerHandlers = Effect.gen(function*() {
  const directory = yield* Directory
  const schedules = yield* Schedules

  // What it may do is looked at again when it runs.
  const check = (agent: Agent, { capability: name, description = "", inputs = {} }: Planned) =>
    Effect.gen(function*() {
      const capability = directory.capability(agent, name)
      if (capability === undefined) {
        const requested = name.slice(0, 128)
        return yield* new CapabilityNotFound({
          message: `There is no capability ${requested}`,
          requested,
          context: { name: requested }
        })
      }
      if (description.length > longest.description) return yield* tooLong("description", longest.description)
      if (JSON.stringify(inputs).length > longest.inputs) return yield* tooLong("inputs", longest.inputs)
      const decoded = Schema.decodeUnknownEither(capability.handlerInputSchema, { onExcessProperty: "error" })(inputs)
      if (Either.isRight(decoded)) return
      const { field, message, reason } = invalidInputOf(decoded.left, name)
      return yield* new InvalidInput({
        message: `The inputs of ${name}: ${message}`,
        field: field === undefined ? "inputs" : `inputs.${field}`,
        reason
      })
    })

  const handlers: HandlersOf<BuiltIn, "scheduler"> = {
    "scheduler.delay": ({ capability, delay_seconds, description, inputs }, { agent }) =>
      Effect.gen(function*() {
        if (delay_seconds > longestDelaySeconds) {
          return yield* new InvalidInput({
            message: `delay_seconds can be ${longestDelaySeconds} at most, which is a year`,
            field: "delay_seconds",
            reason: `above ${longestDelaySeconds}`
          })
        }
        yield* check(agent, { capability, description, inputs })
        const fires_at = DateTime.add(yield* DateTime.now, { seconds: delay_seconds })
        const delay_id = yield* schedules.add({
          agent: agent.name,
          capability,
          arguments: inputs,
          description,
          nextRun: fires_at
        })
        return { delay_id, capability, fires_at }
      }).pipe(Effect.catchTags(failures)),

    "scheduler.cron_create": ({ capability, description, inputs, schedule }, { agent }) =>
      Effect.gen(function*() {
        const { expression, next } = yield* Effect.mapError(
          CronSchedule.parse(schedule),
          (reason) => invalidExpression(schedule, reason)
        )
        yield* check(agent, { capability, description, inputs })
        const at = next(yield* Clock.currentTimeMillis)
        if (at === undefined) return yield* invalidExpression(schedule, "it is never due")
        const next_run = DateTime.unsafeMake(at)
        const cron_id = yield* schedules.add({
          agent: agent.name,
          capability,
          arguments: inputs,
          expression,
          description,
          nextRun: next_run
        })
        return { cron_id, schedule: expression, next_run, capability }
      }).pipe(Effect.catchTags(failures)),

    "scheduler.cron_list": (_input, { agent }) =>
      schedules.jobs(agent.name).pipe(
        Effect.map((found) => {
          const jobs = found.flatMap((job) =>
            // One that is never due again ends with the run that it is in.
            job.nextRun === null || job.expression === null ? [] : [{
              cron_id: job.scheduleId,
              capability: job.capability,
              inputs: job.arguments,
              schedule: job.expression,
              next_run: job.nextRun,
              description: job.description,
              enabled: job.isLive,
              created_at: job.createdAt
            }]
          )
          return { jobs, total: jobs.length }
        }),
        Effect.mapError(schedulerError)
      ),

    "scheduler.cron_delete": ({ cron_id }, { agent }) =>
      // The store refuses a NUL, and no job has one.
      (cron_id.includes("\0") ? Effect.succeed(false) : schedules.remove(agent.name, cron_id)).pipe(
        Effect.map((deleted) => ({ deleted, cron_id })),
        Effect.mapError(schedulerError)
      )
  }
  return handlers
})
