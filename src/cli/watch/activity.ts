import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import type { CommandFailed } from "../exit.js"
import { get, type Target } from "../supervisor/client.js"
import { type Filter, parametersOf } from "../supervisor/eventFeed.js"

const Activity = Schema.Struct({ ...SupervisionEvent.fields, sequence: Schema.Int })

/** Something that happened, and the number of its entry in the audit log. */
export interface Activity extends Schema.Schema.Type<typeof Activity> {}

const ActivityList = Schema.Struct({ activity: Schema.Array(Activity) })

const page = 1000

/** How much is looked at for what the gateway itself does not filter. */
const mostPages = 20

/** The last so many things that happened, of those since a time if one is given, the newest last. */
export const latest = (
  target: Target,
  filter: Filter,
  { count, since }: { readonly count: number; readonly since?: DateTime.Utc | undefined }
): Effect.Effect<ReadonlyArray<Activity>, CommandFailed> =>
  Effect.gen(function*() {
    const { session, ...rest } = filter
    const found = new Map<number, Activity>()
    for (let looked = 0; looked < mostPages && found.size < count; looked++) {
      const parameters = parametersOf(rest)
      parameters.set("limit", String(session === undefined ? Math.min(page, count) : page))
      parameters.set("offset", String(looked * page))
      const { activity } = yield* get(target, `/activity?${parameters}`, ActivityList)
      const inTime = activity.filter(({ timestamp }) =>
        since === undefined || DateTime.greaterThanOrEqualTo(timestamp, since)
      )
      // By their numbers, because what happened since the last page has moved them.
      for (const item of inTime) {
        if (session === undefined || item.session_id === session) found.set(item.sequence, item)
      }
      if (inTime.length < activity.length || activity.length < page) break
    }
    return [...found.values()].sort((one, other) => other.sequence - one.sequence).slice(0, count).reverse()
  })
