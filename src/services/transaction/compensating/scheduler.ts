import * as Effect from "effect/Effect"
import { cronCreate, delay } from "../../../catalogue/scheduler.js"
import { isSameJson } from "./json.js"
import { know, nothingDone, notUndone, type Undo, undone } from "./Knowledge.js"

const none = Effect.succeed(undefined)

const lost = Effect.succeed(notUndone("its answer was lost, and with it the id to take it back with"))

const creating = know(cronCreate, {
  plan: ({ capability, inputs, schedule }, { ask }) =>
    Effect.map(ask("scheduler.cron_list"), (before) => {
      const known = new Set(before.jobs.map(({ cron_id }) => cron_id))
      const takeBack = (id: string): Undo =>
        // One that is gone already is what there was before.
        Effect.as(ask("scheduler.cron_delete", { cron_id: id }), undone)
      const find: Undo = Effect.flatMap(ask("scheduler.cron_list"), ({ jobs }) => {
        const candidates = jobs.filter((job) =>
          !known.has(job.cron_id) && job.capability === capability && job.schedule === schedule &&
          isSameJson(job.inputs ?? {}, inputs ?? {})
        )
        const [found] = candidates
        if (found === undefined) return Effect.succeed(nothingDone)
        return candidates.length === 1 ? takeBack(found.cron_id) : lost
      })
      return {
        size: 0,
        ended: (outcome) => {
          switch (outcome._tag) {
            case "Failed":
              return none
            case "Unknown":
              return Effect.succeed(find)
            case "Done":
              return Effect.succeed(takeBack(outcome.output.cron_id))
          }
        }
      }
    })
})

const delaying = know(delay, {
  plan: (_input, { ask }) =>
    Effect.succeed({
      size: 0,
      ended: (outcome) => {
        switch (outcome._tag) {
          case "Failed":
            return none
          case "Unknown":
            return Effect.succeed(lost)
          case "Done":
            return Effect.succeed(
              Effect.map(
                ask("scheduler.cron_delete", { cron_id: outcome.output.delay_id }),
                ({ deleted }) => deleted ? undone : notUndone("it could not be taken back: it may have run already")
              )
            )
        }
      }
    })
})

/** How what is scheduled is undone. A deleted job would come back under another id, and so cannot be. */
export const scheduler = [creating, delaying]
