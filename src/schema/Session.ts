import type * as DateTime from "effect/DateTime"

/**
 * The session that a connection has with its gateway. `agent` and `createdAt` are known where the gateway says them: a
 * plain KruxOS names neither on the WebSocket, and has no id to show there either.
 */
export interface Session {
  readonly id: string | undefined
  readonly agent: string | undefined
  readonly createdAt: DateTime.Utc | undefined
  readonly serverName: string | undefined
  readonly serverVersion: string | undefined
  readonly protocolVersion: string | undefined
}

/** The parts of this project's protocol extension that a gateway may have; a plain KruxOS has none. */
export const knownFeatures = [
  "native",
  "idempotency",
  "approvals",
  "events",
  "transactions",
  "cancellation",
  "progress",
  "resume"
] as const

/** One of {@link knownFeatures}. */
export type Feature = typeof knownFeatures[number]
