import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import { AlertNotFound } from "../../errors/alerts.js"
import { CapabilityUnavailable, InvalidInput, ResourceExhausted } from "../../errors/general.js"
import { type Alert, Alerts, type TooManyAlerts } from "../store/Alerts.js"
import type { HandlersOf } from "./Handler.js"

/** How long an alert's parts may be, in characters; of the context, those of its JSON. */
const longest = { message: 16_384, title: 512, context: 65_536, acknowledged_by: 256 }

const mostListed = 500

const checkLength = (field: keyof typeof longest, text: string | undefined): Effect.Effect<void, InvalidInput> =>
  text === undefined || text.length <= longest[field] ? Effect.void : Effect.fail(
    new InvalidInput({
      message: `${field} can have ${longest[field]} characters at most`,
      field,
      reason: `longer than ${longest[field]} characters`
    })
  )

const alertError = (cause: SqlError) =>
  new CapabilityUnavailable({
    type: "AlertError",
    reason: "AlertError",
    message: "The gateway's store of alerts does not answer",
    retryable: true,
    cause
  })

const tooMany = ({ limit, message }: TooManyAlerts) => new ResourceExhausted({ message, resource: "alerts", limit })

const shown = (alert: Alert) => ({
  alert_id: alert.alertId,
  message: alert.message,
  severity: alert.severity,
  status: alert.status,
  created_at: alert.createdAt,
  acknowledged_at: alert.acknowledgedAt,
  acknowledged_by: alert.acknowledgedBy
})

/** The handlers of `alerts.*`. An agent has its own alerts and sees no others. */
export const makeAlertsHandlers: Effect.Effect<HandlersOf<BuiltIn, "alerts">, never, Alerts> = Effect.gen(function*() {
  const alerts = yield* Alerts
  return {
    "alerts.send": ({ context, message, severity, title }, { agent }) =>
      Effect.gen(function*() {
        yield* checkLength("message", message)
        yield* checkLength("title", title)
        yield* checkLength("context", context === undefined ? undefined : JSON.stringify(context))
        const alert_id = yield* alerts.send({ agent: agent.name, severity, message, title, context }).pipe(
          Effect.catchTags({
            TooManyAlerts: (error) => tooMany(error),
            SqlError: (cause) => alertError(cause)
          })
        )
        return { alert_id, delivered_to: "dashboard" as const, severity }
      }),

    "alerts.list": ({ limit, status }, { agent }) =>
      limit > mostListed
        ? new InvalidInput({
          message: `limit can be ${mostListed} at most`,
          field: "limit",
          reason: `above ${mostListed}`
        })
        : alerts.list({ agent: agent.name, status: status === "all" ? undefined : status, limit }).pipe(
          Effect.map((found) => ({ alerts: found.alerts.map(shown), total: found.total })),
          Effect.mapError(alertError)
        ),

    "alerts.acknowledge": ({ acknowledged_by, alert_id }, { agent }) =>
      checkLength("acknowledged_by", acknowledged_by).pipe(
        Effect.zipRight(
          // The store refuses a NUL, and no alert has one.
          alert_id.includes("\0") ? Effect.succeedNone : Effect.mapError(
            alerts.acknowledge({ agent: agent.name, alertId: alert_id, by: acknowledged_by ?? agent.name }),
            alertError
          )
        ),
        Effect.flatMap(
          Option.match({
            onNone: () =>
              Effect.fail(
                new AlertNotFound({ message: "There is no alert of this id", alertId: alert_id.slice(0, 128) })
              ),
            onSome: (acknowledged) => Effect.succeed({ acknowledged, alert_id })
          })
        )
      )
  }
})
