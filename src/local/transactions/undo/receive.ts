import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import * as Inbox from "../../store/Inbox.js"
import type { Undo } from "../Undo.js"

const tokenOf = Schema.decodeUnknownOption(Schema.Struct({ token: Schema.String }))

// Another process may write just now.
const insistently = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A> =>
  Effect.orDie(Effect.retry(effect, Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))))

/**
 * How `comms.receive` is undone, by its name: what it acknowledges is kept in the store, where no agent finds it, and put back as
 * unread, where it was among the others.
 */
export const receiveUndos = (inbox: Inbox.InboxService): ReadonlyArray<readonly [string, Undo]> => {
  const withToken = <A, E>(before: unknown, otherwise: A, use: (token: string) => Effect.Effect<A, E>) =>
    Option.match(tokenOf(before), {
      onNone: (): Effect.Effect<A, E> => Effect.succeed(otherwise),
      onSome: ({ token }) => use(token)
    })

  const undo: Undo = {
    before: () =>
      Effect.flatMap(Inbox.keeper, (keeper) => {
        if (keeper === undefined) return Effect.dieMessage("what a step receives is kept only by `alone`")
        keeper.token = randomUUID().replaceAll("-", "").slice(0, 16)
        return Effect.succeed({ token: keeper.token })
      }),
    after: () => Effect.succeed(null),
    found: (_input, before, { agent }) =>
      Effect.map(
        withToken(before, false, (token) => insistently(inbox.hasKept(agent, token))),
        (isDone) => isDone ? { _tag: "Done", after: null } : { _tag: "NotDone" }
      ),
    undo: (_input, before, _after, { agent }) =>
      Effect.as(
        withToken(before, undefined, (token) => insistently(inbox.putBack(agent, token))),
        { _tag: "Undone" }
      ),
    release: (before, { agent }) => withToken(before, undefined, (token) => insistently(inbox.forget(agent, token))),
    // A message that is received is nobody else's.
    alone: (_input, _context, effect) => Effect.suspend(() => Inbox.keep({ token: undefined }, effect))
  }
  return [["comms.receive", undo]]
}
