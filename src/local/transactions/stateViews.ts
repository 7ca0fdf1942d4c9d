import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { service } from "../inOrder.js"
import * as LibsqlClient from "../store/LibsqlClient.js"
import { conflictOf, putAll } from "../store/stateCommit.js"
import * as StateOverlay from "../store/StateOverlay.js"
import { type StateView, StateViews } from "./StateView.js"

// Watches and archives are no reading or writing of single keys.
const held: ReadonlySet<string> = new Set([
  "state.persistent.delete",
  "state.persistent.get",
  "state.persistent.history",
  "state.persistent.list",
  "state.persistent.query",
  "state.persistent.set",
  "state.shared.delete",
  "state.shared.get",
  "state.shared.list",
  "state.shared.set"
])

const inside = (overlay: StateOverlay.StateOverlay): StateView["inside"] => (effect) =>
  Effect.suspend(() => {
    const own: StateOverlay.Inside = { overlay, refusal: undefined }
    return effect.pipe(
      Effect.locally(StateOverlay.current, own),
      Effect.mapError((error) => own.refusal ?? error)
    )
  })

const make = Effect.map(SqlClient.SqlClient, (sql) => {
  const { atomically } = LibsqlClient.quick(sql)

  const checkOpen = (overlay: StateOverlay.StateOverlay) => {
    if (overlay.hasEnded) throw new Error("the transaction has ended")
  }

  // Where it is part of a transaction of SQLite, nothing is merged before that is committed, and nobody writes until then.
  const merge = (overlay: StateOverlay.StateOverlay): StateView["merge"] =>
    Effect.flatMap(
      atomically((rowsOf) => {
        checkOpen(overlay)
        return conflictOf(rowsOf, overlay)
      }, (conflict) => {
        if (conflict === undefined) overlay.merge()
      }),
      (conflict) => conflict ?? Effect.void
    ).pipe(Effect.uninterruptible)

  const put = (overlay: StateOverlay.StateOverlay) =>
    Effect.flatMap(
      atomically((rowsOf) => {
        checkOpen(overlay)
        const conflict = conflictOf(rowsOf, overlay)
        return conflict === undefined
          ? { conflict, tell: putAll(rowsOf, overlay) }
          : { conflict, tell: () => {} }
      }, ({ tell }) => {
        overlay.end()
        tell()
      }),
      ({ conflict }) => conflict ?? Effect.void
    )

  // Whether it is committed has to be known to whoever asked, so that nothing cuts it off.
  const commit = (overlay: StateOverlay.StateOverlay): StateView["commit"] => (alongside) =>
    overlay.below === undefined
      ? Effect.zipRight(put(overlay), alongside).pipe(sql.withTransaction, Effect.uninterruptible)
      : Effect.dieMessage("a savepoint is merged, and not committed")

  const viewOf = (overlay: StateOverlay.StateOverlay): StateView => ({
    holds: (capability) => held.has(capability),
    inside: inside(overlay),
    nested: () => viewOf(new StateOverlay.StateOverlay(overlay)),
    merge: merge(overlay),
    commit: commit(overlay),
    drop: Effect.sync(() => overlay.drop()),
    writes: () => overlay.log.length
  })

  return StateViews.of({ make: Effect.sync(() => viewOf(new StateOverlay.StateOverlay())) })
})

/** Views whose writes are in memory until the commit. */
export const layer: Layer.Layer<StateViews, never, SqlClient.SqlClient> = service(StateViews, make)
