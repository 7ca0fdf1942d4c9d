import * as Cause from "effect/Cause"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import type { Layer } from "effect/Layer"
import * as Logger from "effect/Logger"

const textOf = (value: unknown) => typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0)

/** One line per entry, `2026-01-31T12:00:00.000Z INFO text name=value`, and the cause below it where there is one. */
export const formatEntry = (
  { annotations, cause, date, logLevel, message }: Logger.Logger.Options<unknown>
): string => {
  const words = [
    date.toISOString(),
    logLevel.label,
    ...(Array.isArray(message) ? message : [message]).map(textOf),
    ...HashMap.toEntries(annotations).map(([name, value]) => `${name}=${textOf(value)}`)
  ]
  const line = words.join(" ")
  return Cause.isEmpty(cause) ? line : `${line}\n${Cause.pretty(cause, { renderErrorCause: true })}`
}

/** Logs to standard error, whatever is logged: standard output belongs to the results. */
export const layer: Layer<never> = Logger.replace(
  Logger.defaultLogger,
  Logger.make((options) => {
    process.stderr.write(`${formatEntry(options)}\n`)
  })
)
