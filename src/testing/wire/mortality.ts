import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import type { LibsqlDatabase } from "../../local/store/LibsqlDatabase.js"

/** What a gateway has that can be killed: from then on nothing that it still does is seen. */
export interface Mortality {
  /** The database, until then. */
  readonly database: LibsqlDatabase
  /** Runs an effect, and all that it forks, with a Clock and a log that end with the gateway. */
  readonly during: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** What is in the middle of a transaction is rolled back, as a database does when it is opened the next time. */
  readonly kill: () => void
}

/** Makes a gateway's share of what outlives it. */
export const make = (database: LibsqlDatabase): Mortality => {
  let isDead = false

  const living = () => {
    if (isDead) throw new Error("the gateway was killed")
    return database
  }

  // What still waits when it ends would wait for a Clock that perhaps nobody moves: its time is over at once.
  const mortalClock = (clock: Clock.Clock): Clock.Clock => ({
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanos: clock.currentTimeNanos,
    sleep: (duration) => Effect.suspend(() => isDead ? Effect.yieldNow() : clock.sleep(duration))
  })

  const mortalLogger = (logger: Logger.Logger<unknown, unknown>) =>
    Logger.make<unknown, unknown>((options) => isDead ? undefined : logger.log(options))

  return {
    database: {
      all: (sql, parameters) => living().all(sql, parameters),
      values: (sql, parameters) => living().values(sql, parameters),
      raw: (sql, parameters) => living().raw(sql, parameters),
      once: (sql, parameters) => living().once(sql, parameters),
      exec: (sql) => living().exec(sql),
      inTransaction: () => living().inTransaction()
    },
    during: (effect) =>
      Effect.clockWith((clock) =>
        effect.pipe(
          Effect.withClock(mortalClock(clock)),
          Effect.locallyWith(FiberRef.currentLoggers, HashSet.map(mortalLogger))
        )
      ),
    kill: () => {
      isDead = true
      if (database.inTransaction()) database.exec("ROLLBACK")
    }
  }
}
