import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { SubscriptionFailed } from "../../../errors/state.js"
import { checkKey, checkPrefix, textOfValue } from "../../state/checkKey.js"
import { StateWatches } from "../../state/StateWatches.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import { SharedState } from "../../store/SharedState.js"
import type { HandlersOf } from "../Handler.js"
import { databaseError, keyNotFound } from "./failures.js"

const unavailable = (cause: SqlError) => Effect.fail(storeUnavailable(cause))

/**
 * The handlers of `state.shared.*`. An entry belongs to the agent that created it, whoever writes it later. A subscription is also told
 * of what its own session writes.
 */
export const makeSharedHandlers = Effect.gen(function*() {
  const state = yield* SharedState
  const watches = yield* StateWatches
  const handlers: HandlersOf<BuiltIn, "state.shared"> = {
    "state.shared.get": ({ key }) =>
      checkKey(key).pipe(
        Effect.zipRight(state.get(key)),
        Effect.catchTag("SqlError", unavailable),
        Effect.map((found) =>
          found === undefined ? { found: false, version: 0 } : {
            found: true,
            value: found.value,
            version: found.version,
            owner_agent: found.owner,
            updated_at: DateTime.unsafeMake(found.updatedAt)
          }
        )
      ),

    "state.shared.set": ({ expected_version, key, value }, { agent, sessionId, source = sessionId }) =>
      Effect.gen(function*() {
        yield* checkKey(key)
        const text = yield* textOfValue(value)
        const at = yield* Clock.currentTimeMillis
        return {
          version: yield* state.set(key, text, expected_version, { agent: agent.name, source, at })
        }
      }).pipe(Effect.catchTag("SqlError", unavailable)),

    "state.shared.delete": ({ key }, { sessionId, source = sessionId }) =>
      Effect.gen(function*() {
        yield* checkKey(key)
        const at = yield* Clock.currentTimeMillis
        if (!(yield* state.remove(key, { source, at }))) return yield* keyNotFound(key)
        return { deleted: true }
      }).pipe(Effect.catchTag("SqlError", unavailable)),

    "state.shared.list": ({ prefix }) =>
      Effect.gen(function*() {
        const { count, entries, totalBytes } = yield* state.list(yield* checkPrefix(prefix))
        return {
          entries: entries.map(({ key, owner, size, updatedAt, version }) => ({
            key,
            version,
            size_bytes: size,
            owner_agent: owner,
            updated_at: DateTime.unsafeMake(updatedAt)
          })),
          count,
          total_size_bytes: totalBytes
        }
      }).pipe(Effect.catchTag("SqlError", (cause) => Effect.fail(databaseError(cause)))),

    "state.shared.watch": ({ prefix }, { agent, approvalId, sessionId, sessionScope }) =>
      Effect.gen(function*() {
        const start = yield* checkPrefix(prefix)
        if (approvalId !== undefined) {
          return yield* new SubscriptionFailed({
            message: "What is approved runs outside of the session that asked for it, and cannot watch for it",
            prefix: start,
            retryable: false
          })
        }
        return { subscription_id: yield* watches.watch({ agent: agent.name, sessionId, sessionScope }, start) }
      }).pipe(Effect.catchTag("SqlError", unavailable))
  }
  return handlers
})
