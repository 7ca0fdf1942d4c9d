/** A JSON-RPC notification. */
export interface Notification {
  readonly method: string
  readonly params: unknown
}

/** Sends a notification on. It neither waits nor throws. */
export type Listener = (notification: Notification) => void
