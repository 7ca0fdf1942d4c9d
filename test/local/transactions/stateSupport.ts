import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { SharedState } from "../../../src/local/store/SharedState.js"
import * as Store from "../../../src/local/store/Store.js"
import type { Change } from "../../../src/local/store/VersionedState.js"
import { StateViews } from "../../../src/local/transactions/StateView.js"
import * as stateViews from "../../../src/local/transactions/stateViews.js"

/** A store with the state in it, and views of that. */
export const stateStore = (options: Partial<Store.Options> = {}) =>
  Effect.gen(function*() {
    const store = Store.layer({ filename: ":memory:", ...options })
    const services = yield* Effect.orDie(Layer.build(Layer.provideMerge(stateViews.layer, store)))
    const shared = Context.get(services, SharedState)
    const persistent = Context.get(services, PersistentState)
    const sql = Context.get(services, SqlClient.SqlClient)
    const told: Array<Change> = []
    yield* shared.listen((change) => void told.push(change))
    return {
      sql,
      shared,
      persistent,
      told,
      makeView: Context.get(services, StateViews).make,
      /** All that the tables of the state hold. */
      tables: Effect.all([
        sql`SELECT * FROM state_spaces WHERE change_count > 0 ORDER BY space`,
        sql`SELECT * FROM state_entries ORDER BY space, entry_key`,
        sql`SELECT * FROM state_versions ORDER BY space, entry_key, version`
      ])
    }
  })

export type StateStore = Effect.Effect.Success<ReturnType<typeof stateStore>>

/** Who writes, at some time. */
export const author = (agent: string, at = 1) => ({ agent, source: `session of ${agent}`, at })

/** What came of something, without the words that say it. */
export const outcome = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<unknown> =>
  Effect.map(
    Effect.either(effect),
    (either) => Either.match(either, { onLeft: (error) => ({ error }), onRight: (value) => ({ value }) })
  )
