import { RollbackIncomplete } from "../../errors/general.js"
import type { RollbackReport } from "../../schema/Rollback.js"

const count = (things: ReadonlyArray<unknown>, one: string, many: string) =>
  things.length === 0 ? [] : [`${things.length} ${things.length === 1 ? one : many}`]

/** The error for a rollback that left something; `cause` is why it was rolled back. */
export const rollbackIncomplete = (transactionId: string, report: RollbackReport, cause: unknown): RollbackIncomplete =>
  new RollbackIncomplete({
    message: `The transaction ${transactionId} was rolled back, but for ${
      [
        ...count(report.notReversible, "step that cannot be undone", "steps that cannot be undone"),
        ...count(
          report.conflicts,
          "thing that somebody else has changed since",
          "things that somebody else has changed since"
        )
      ].join(" and ")
    }`,
    transactionId,
    ...report,
    cause
  })
