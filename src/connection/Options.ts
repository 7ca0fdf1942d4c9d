import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"

/** What a connection needs to know, whatever carries it. */
export interface ConnectionOptions {
  readonly apiKey: Redacted.Redacted<string>
  /** Sent as `clientInfo.name`. */
  readonly clientName: string
  readonly requestTimeoutMillis: number
  /** How often the gateway is asked for a sign of life. */
  readonly heartbeat: Duration.Duration
  /** The waits between attempts to connect again; when it ends, the connection is over. */
  readonly reconnect: Schedule.Schedule<unknown>
  /** How many calls may be unanswered at a time; further ones wait. */
  readonly maxInFlight: number
  /** How many bytes may wait to be taken by the network before further calls wait, unwritten. */
  readonly sendQueueBytes: number
  /** How long calls in flight may take to finish when the scope of the connection closes; then they are cancelled. */
  readonly gracePeriod: Duration.Duration
}

/** The version of this package, as it introduces itself to a gateway. */
export const packageVersion = "0.1.0"
