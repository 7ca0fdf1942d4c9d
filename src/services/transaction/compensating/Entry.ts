import type { Undo } from "./Knowledge.js"

/** A step that was sent, and would have to be undone. */
export interface Entry {
  readonly capability: string
  /** Steps are counted over all savepoints, so that those of several can be undone in reverse order. */
  readonly number: number
  /** Whether its caller says how it is undone. */
  readonly isCompensated: boolean
  /** How many characters are kept for it. */
  readonly size: number
  undo: Undo
  /** The request for approval that it has left, where nobody has decided yet. */
  pendingApproval: string | undefined
}
