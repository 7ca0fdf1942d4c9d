/** One connection, and the ways in which it is asked. Times are milliseconds. */
export interface Session {
  /** One call. */
  readonly one: () => Promise<void>
  /** Calls one after another, for that long: how long each took. */
  readonly sequential: (milliseconds: number) => Promise<ReadonlyArray<number>>
  /** As many as `width` calls unanswered at every moment, for that long: how many calls a second were answered. */
  readonly throughput: (width: number, milliseconds: number) => Promise<number>
  /** All of them at once; it ends when the last is answered. */
  readonly burst: (count: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** What is compared. */
export interface Client {
  readonly open: (url: string) => Promise<Session>
  /** Connects, calls once, tells that the answer is there, and closes. */
  readonly once: (url: string, answered: () => void) => Promise<void>
  /** It does not connect again by itself: who wants that opens the next session. */
  readonly redials?: boolean
}
