import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { inspect } from "node:util"

/** Runs an effect with all that it logs collected, as text with everything that belongs to it. */
export const withLogs = <A, E, R>(
  use: (logs: ReadonlyArray<string>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const logs: Array<string> = []
    const logger = Logger.make(({ annotations, cause, logLevel, message }) => {
      logs.push(`${logLevel.label} ${inspect([message, cause, annotations], { depth: 10 })}`)
    })
    return use(logs).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Effect.provide(Logger.minimumLogLevel(LogLevel.All))
    )
  })
