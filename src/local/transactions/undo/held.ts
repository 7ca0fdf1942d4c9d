import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import * as Holding from "../../store/holding.js"
import type { Undo } from "../Undo.js"

/** What holds back what steps of transactions do. */
export interface Holds {
  readonly hasHeld: (token: string) => Effect.Effect<boolean, SqlError>
  readonly cancelHeld: (token: string) => Effect.Effect<void, SqlError>
  readonly letGo: (token: string) => Effect.Effect<void, SqlError>
}

const tokenOf = Schema.decodeUnknownOption(Schema.Struct({ token: Schema.String }))

// Another process may write just now.
const insistently = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A> =>
  Effect.orDie(Effect.retry(effect, Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(3))))

/**
 * How capabilities are undone whose effects are held back until the commit, by their names: a rollback drops them. What a rollback has
 * dropped is not there any more when it is let go.
 */
export const heldUndos = (names: ReadonlyArray<string>, holds: Holds): ReadonlyArray<readonly [string, Undo]> => {
  const withToken = <A>(before: unknown, otherwise: A, use: (token: string) => Effect.Effect<A, SqlError>) =>
    Option.match(tokenOf(before), {
      onNone: () => Effect.succeed(otherwise),
      onSome: ({ token }) => insistently(use(token))
    })

  const undo: Undo = {
    before: () =>
      Effect.flatMap(Holding.holder, (holder) => {
        if (holder === undefined) return Effect.dieMessage("what a step does is held only by `alone`")
        holder.token = randomUUID()
        return Effect.succeed({ token: holder.token })
      }),
    after: () => Effect.succeed(null),
    found: (_input, before) =>
      Effect.map(
        withToken(before, false, holds.hasHeld),
        (isDone) => isDone ? { _tag: "Done", after: null } : { _tag: "NotDone" }
      ),
    undo: (_input, before) => Effect.as(withToken(before, undefined, holds.cancelHeld), { _tag: "Undone" }),
    release: (before) => withToken(before, undefined, holds.letGo),
    // What is held is nobody else's.
    alone: (_input, _context, effect) => Effect.suspend(() => Holding.hold({ token: undefined }, effect))
  }
  return names.map((name) => [name, undo])
}
