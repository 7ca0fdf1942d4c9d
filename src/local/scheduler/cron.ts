import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"

/** A schedule that has been understood. */
export interface CronSchedule {
  /** The five fields, with one space between them. */
  readonly expression: string
  /** When it is due next, in milliseconds since 1970, after such a time; undefined if never again. */
  readonly next: (after: number) => number | undefined
}

/** How many characters an expression may have. */
export const longestExpression = 256

const nextOf = (cron: Cron.Cron) => (after: number): number | undefined => {
  try {
    return Cron.next(cron, DateTime.unsafeMake(after)).getTime()
  } catch {
    // What is due on the 30th of February is never due.
    return undefined
  }
}

/** Understands a cron expression of five fields, in UTC; or says what is wrong with it. */
export const parse = (text: string): Either.Either<CronSchedule, string> => {
  if (text.length > longestExpression) return Either.left(`it has more than ${longestExpression} characters`)
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5) return Either.left("it does not have five fields")
  const expression = fields.join(" ")
  return Either.mapBoth(Cron.parse(expression, "UTC"), {
    onLeft: ({ input, message }) => `${message}${input === undefined ? "" : ` (${input})`}`,
    onRight: (cron) => ({ expression, next: nextOf(cron) })
  })
}

/** When an expression that was understood before is due next. */
export const nextOfExpression = (expression: string, after: number): number | undefined =>
  Either.match(parse(expression), { onLeft: () => undefined, onRight: ({ next }) => next(after) })
