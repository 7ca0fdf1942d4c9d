import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Capabilities } from "../services/Capabilities.js"
import { withGateway } from "./client.js"
import { usageFailed } from "./exit.js"
import { explainFailure } from "./explainFailure.js"
import { jsonInput } from "./jsonInput.js"
import { timeout } from "./options.js"
import { print } from "./print.js"
import { prettyJson } from "./text.js"

const config = {
  name: Args.text({ name: "name" }).pipe(Args.withDescription("The capability, such as filesystem.read.")),
  input: Args.text({ name: "input" }).pipe(
    Args.withDescription("Its inputs: a JSON object, or - to read one from standard input."),
    Args.optional
  ),
  timeout
}

const decode = Schema.decodeUnknownEither(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const inputOf = (text: string) =>
  Effect.gen(function*() {
    const value = yield* jsonInput(text, "The input")
    return yield* Effect.mapError(
      Array.isArray(value) ? Effect.fail(undefined) : decode(value),
      () => usageFailed("The input is not a JSON object, such as '{\"path\": \"README.md\"}'")
    )
  })

/** `kruxos invoke` */
export const invoke = Command.make("invoke", config, ({ input, name, timeout }) =>
  Effect.gen(function*() {
    const given = yield* inputOf(Option.getOrElse(input, () => "{}"))
    const output = yield* Effect.gen(function*() {
      const capabilities = yield* Capabilities
      return yield* Effect.mapError(
        capabilities.invokeDynamic(name, given, { timeout: Option.getOrUndefined(timeout) }),
        explainFailure
      )
    }).pipe(withGateway)
    yield* print(prettyJson(output))
  })).pipe(
    Command.withDescription("Invoke a capability and print its output as JSON.")
  )
