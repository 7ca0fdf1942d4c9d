import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SupervisionService } from "../../local/supervision/Supervision.js"
import type { PendingApproval } from "./PendingApproval.js"

/** In which order requests have come, also those that came in the same millisecond. */
export interface Arrivals {
  /** Gives the place of a request among those that have come by now. */
  readonly rank: () => (request: PendingApproval) => number
}

const decode = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Struct({ data: Schema.Struct({ approval_id: Schema.String }) }))
)

/** Takes notice of what comes from now on. */
export const make = (supervision: SupervisionService): Effect.Effect<Arrivals> =>
  Effect.map(
    Effect.orDie(supervision.cursor(Option.none(), { types: new Set(["approval_requested"]) })),
    (cursor) => {
      const ranks = new Map<string, number>()
      const note = () => {
        while (!cursor.isAtEnd()) {
          for (const { json } of cursor.take().events) {
            const id = Option.getOrUndefined(decode(json))?.data.approval_id
            if (id !== undefined && !ranks.has(id)) ranks.set(id, ranks.size)
          }
        }
      }
      return {
        rank: () => {
          note()
          return ({ approvalId }) => ranks.get(approvalId) ?? Number.POSITIVE_INFINITY
        }
      }
    }
  )
