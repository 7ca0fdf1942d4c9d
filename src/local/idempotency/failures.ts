import * as Duration from "effect/Duration"
import { OutcomeUnknown } from "../../errors/gateway.js"
import { InvalidInput, ResourceExhausted, ServiceUnavailable } from "../../errors/general.js"

interface Named {
  readonly capability: string
  readonly idempotencyKey: string
}

/** How many keyed invocations a gateway runs at a time. */
export const mostRunning = 16_384

/** The key is that of something else. */
export const otherUse = ({ capability, idempotencyKey }: Named) =>
  new InvalidInput({
    message: `The key ${idempotencyKey} belongs to an invocation with another capability or other arguments`,
    capability,
    field: "idempotency_key"
  })

/** Nobody knows what the invocation of a key has done. */
export const unknown = ({ capability, idempotencyKey }: Named) =>
  new OutcomeUnknown({
    message: `${capability} began, and how it ended is not on record: it may or may not have taken effect`,
    capability,
    idempotencyKey
  })

/** Another gateway on the same data runs it. */
export const runsElsewhere = ({ capability }: Named) =>
  new ServiceUnavailable({
    message: `Another gateway on the same data runs this ${capability}: ask again for its result`,
    capability,
    service: "gateway",
    retryAfter: Duration.seconds(1)
  })

/** It was running when a gateway was killed, and is looked at. */
export const isLookedAt = ({ capability, idempotencyKey }: Named) =>
  new ServiceUnavailable({
    message: `It is being found out what ${capability} has done (key ${idempotencyKey}): ask again for its result`,
    capability,
    service: "gateway",
    retryAfter: Duration.seconds(1)
  })

/** As many run as may. */
export const full = ({ capability }: Named) =>
  new ResourceExhausted({
    message: `The gateway runs ${mostRunning} keyed invocations, as many as it may`,
    capability,
    resource: "keyed_invocations",
    limit: mostRunning,
    current: mostRunning,
    retryable: true
  })
