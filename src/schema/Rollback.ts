import * as Schema from "effect/Schema"

/**
 * Something that a rollback left alone, because somebody else changed it after the transaction had: `resource` is a path or a key of the
 * state. `savedAs` says where its content from before the transaction is kept, where that could be kept; for a file it is a path that
 * `filesystem.restore` takes for 24 hours or, in the mode "compensating", that of a file beside it.
 */
export const RollbackConflict = Schema.Struct({
  capability: Schema.String,
  resource: Schema.String,
  savedAs: Schema.optional(Schema.String).pipe(Schema.fromKey("saved_as"))
})
export interface RollbackConflict extends Schema.Schema.Type<typeof RollbackConflict> {}

/**
 * What came of a rollback, by the capabilities of the steps: those that were undone, those that cannot be, and what was left alone.
 */
export const RollbackReport = Schema.Struct({
  rolledBack: Schema.Array(Schema.String).pipe(Schema.propertySignature, Schema.fromKey("rolled_back")),
  notReversible: Schema.Array(Schema.String).pipe(Schema.propertySignature, Schema.fromKey("not_reversible")),
  conflicts: Schema.Array(RollbackConflict)
})
export interface RollbackReport extends Schema.Schema.Type<typeof RollbackReport> {}

/** Whether everything was undone. */
export const isComplete = ({ conflicts, notReversible }: RollbackReport): boolean =>
  conflicts.length === 0 && notReversible.length === 0
