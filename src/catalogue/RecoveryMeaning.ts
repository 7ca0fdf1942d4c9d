import type { ErrorContext, SuggestedInputs } from "./suggestedInputs.js"

/** What a recovery action means. */
export interface Recovery {
  readonly description: string
  /** The capability that carries it out; `again` is the one that failed, with other inputs. */
  readonly capability?: string
  readonly again?: true
  /** Inputs to give it, as far as the error tells them. */
  readonly inputs?: (context: ErrorContext, type: string) => SuggestedInputs | undefined
}

/** Recovery actions by their keys: see `recoveryKeys`. */
export interface Recoveries {
  readonly [key: string]: Recovery
}
