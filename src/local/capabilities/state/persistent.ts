import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { checkKey, checkPrefix, textOfValue } from "../../state/checkKey.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import { PersistentState } from "../../store/PersistentState.js"
import type { Version } from "../../store/VersionedState.js"
import type { HandlersOf } from "../Handler.js"
import { databaseError, keyNotFound } from "./failures.js"

const unavailable = (cause: SqlError) => Effect.fail(storeUnavailable(cause))

const databaseFailed = (cause: SqlError) => Effect.fail(databaseError(cause))

const shown = ({ createdAt, updatedAt, value, version }: Version) => ({
  value,
  version,
  created_at: DateTime.unsafeMake(createdAt),
  updated_at: DateTime.unsafeMake(updatedAt)
})

/** The handlers of `state.persistent.*`. Reading what is missing is no error, but for a history. */
export const makePersistentHandlers = Effect.map(
  PersistentState,
  (state): HandlersOf<BuiltIn, "state.persistent"> => ({
    "state.persistent.get": ({ key, version }, { agent }) =>
      checkKey(key).pipe(
        Effect.zipRight(state.get(agent.name, key, version)),
        Effect.catchTag("SqlError", unavailable),
        Effect.map((found) => found === undefined ? { found: false } : { found: true, ...shown(found) })
      ),

    "state.persistent.set": ({ key, value }, { agent, sessionId, source = sessionId }) =>
      Effect.gen(function*() {
        yield* checkKey(key)
        const text = yield* textOfValue(value)
        const at = yield* Clock.currentTimeMillis
        const { previousVersion, version } = yield* state.set(key, text, { agent: agent.name, source, at })
        return { version, previous_version: previousVersion }
      }).pipe(Effect.catchTag("SqlError", unavailable)),

    "state.persistent.delete": ({ key }, { agent, sessionId, source = sessionId }) =>
      Effect.gen(function*() {
        yield* checkKey(key)
        const at = yield* Clock.currentTimeMillis
        if (!(yield* state.remove(agent.name, key, { source, at }))) return yield* keyNotFound(key)
        return { deleted: true }
      }).pipe(Effect.catchTag("SqlError", unavailable)),

    "state.persistent.list": ({ prefix }, { agent }) =>
      Effect.gen(function*() {
        const { count, entries, totalBytes } = yield* state.list(agent.name, yield* checkPrefix(prefix))
        return {
          entries: entries.map(({ key, size, updatedAt, version }) => ({
            key,
            version,
            size_bytes: size,
            updated_at: DateTime.unsafeMake(updatedAt)
          })),
          count,
          total_size_bytes: totalBytes
        }
      }).pipe(Effect.catchTag("SqlError", databaseFailed)),

    "state.persistent.query": ({ prefix }, { agent }) =>
      Effect.gen(function*() {
        const entries = yield* state.query(agent.name, yield* checkPrefix(prefix))
        return { entries: entries.map((entry) => ({ key: entry.key, ...shown(entry) })), count: entries.length }
      }).pipe(Effect.catchTag("SqlError", databaseFailed)),

    "state.persistent.history": ({ key, limit }, { agent }) =>
      Effect.gen(function*() {
        yield* checkKey(key)
        const versions = yield* state.history(agent.name, key, limit)
        if (versions.length === 0) return yield* keyNotFound(key)
        return { versions: versions.map(shown), count: versions.length }
      }).pipe(Effect.catchTag("SqlError", unavailable))
  })
)
