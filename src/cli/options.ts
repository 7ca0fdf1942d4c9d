import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** A value that an option does not take. */
export const invalidValue = (message: string): Effect.Effect<never, ValidationError.ValidationError> =>
  Effect.fail(ValidationError.invalidValue(HelpDoc.p(message)))

/** `--json` */
export const json = (description: string): Options.Options<boolean> =>
  Options.withDescription(Options.boolean("json"), description)

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
