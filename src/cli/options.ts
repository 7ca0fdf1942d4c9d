import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** A value that an option does not take. */
export const invalidValue = (message: string): Effect.Effect<never, ValidationError.ValidationError> =>
  Effect.fail(ValidationError.invalidValue(HelpDoc.p(message)))

/** `--json` */
export const json = (description: string): Options.Options<boolean> =>
  Options.withDescription(Options.boolean("json"), description)

/** A text that may be given. */
export const optionalText = (
  name: string,
  value: string,
  description: string
): Options.Options<Option.Option<string>> =>
  Options.text(name).pipe(Options.withPseudoName(value), Options.withDescription(description), Options.optional)

/** `--data` */
export const dataDirectory: Options.Options<string> = Options.text("data").pipe(
  Options.withPseudoName("DIR"),
  Options.withDescription("Where the gateway keeps its database and its key; .kruxos if not given."),
  Options.withDefault(".kruxos")
)

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const isUnit = (text: string): text is keyof typeof units => Object.hasOwn(units, text)

/** Reads `500ms`, `30s`, `1.5m`, `1h`, or a number of seconds. */
export const parseDuration = (text: string): Option.Option<Duration.Duration> => {
  const [, amount = "", unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim()) ?? []
  return amount !== "" && isUnit(unit) ? Option.some(Duration.millis(Number(amount) * units[unit])) : Option.none()
}

/** An option whose value is a length of time. */
export const duration = (name: string): Options.Options<Duration.Duration> =>
  Options.text(name).pipe(
    Options.withPseudoName("TIME"),
    Options.mapEffect((text) =>
      Option.match(parseDuration(text), {
        onNone: () => invalidValue(`--${name} takes a duration such as 500ms, 30s or 2m, not '${text}'`),
        onSome: Effect.succeed
      })
    )
  )

/** `--timeout` */
export const timeout: Options.Options<Option.Option<Duration.Duration>> = duration("timeout").pipe(
  Options.withDescription(
    "How long to wait for the answer: 500ms, 30s, 2m. 30s unless the capability's own timeout is longer."
  ),
  Options.optional
)

/** An option whose value is a time, or how long ago it is. */
export const time = (name: string): Options.Options<DateTime.Utc> =>
  Options.text(name).pipe(
    Options.withPseudoName("TIME"),
    Options.mapEffect((text) =>
      Effect.gen(function*() {
        const ago = parseDuration(text)
        if (Option.isSome(ago)) return DateTime.subtractDuration(yield* DateTime.now, ago.value)
        const at = DateTime.make(text)
        if (Option.isSome(at)) return DateTime.toUtc(at.value)
        return yield* invalidValue(
          `--${name} takes a time such as 2026-01-31T12:00:00Z, or a duration such as 30m, not '${text}'`
        )
      })
    )
  )

/** An option whose value is a whole number. */
export const wholeNumber = (name: string, from: number, to: number): Options.Options<number> =>
  Options.integer(name).pipe(
    Options.withPseudoName("COUNT"),
    Options.mapEffect((value) =>
      value >= from && value <= to
        ? Effect.succeed(value)
        : invalidValue(`--${name} takes ${from} to ${to}, not ${value}`)
    )
  )
