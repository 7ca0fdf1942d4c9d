import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { KruxosError } from "../errors/KruxosError.js"
import type { InvocationEvent } from "../schema/InvocationEvent.js"
import { Capabilities } from "../services/Capabilities.js"
import { withGateway } from "./client.js"
import { usageFailed } from "./exit.js"
import { explainFailure } from "./explainFailure.js"
import { jsonInput } from "./jsonInput.js"
import { timeout } from "./options.js"
import { print, printError } from "./print.js"
import { oneLine, prettyJson } from "./text.js"

const config = {
  name: Args.text({ name: "name" }).pipe(Args.withDescription("The capability, such as filesystem.read.")),
  input: Args.text({ name: "input" }).pipe(
    Args.withDescription("Its inputs: a JSON object, or - to read one from standard input."),
    Args.optional
  ),
  progress: Options.boolean("progress").pipe(
    Options.withDescription("Tell on standard error how far it is, where the gateway says so.")
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

/** Shows how far an invocation is, and succeeds with its output. */
const shown = (events: Stream.Stream<InvocationEvent<unknown>, KruxosError>) =>
  Stream.runFoldEffect(events, undefined, (_before: unknown, event) => {
    if (event._tag === "Completed") return Effect.succeed(event.output)
    const { message, progress, total } = event
    return printError(oneLine(message ?? (total === undefined ? `${progress}` : `${progress} of ${total}`)))
  })

/** `kruxos invoke` */
export const invoke = Command.make("invoke", config, ({ input, name, progress, timeout }) =>
  Effect.gen(function*() {
    const given = yield* inputOf(Option.getOrElse(input, () => "{}"))
    const output = yield* Effect.gen(function*() {
      const { invokeDynamic, invokeDynamicStream } = yield* Capabilities
      const options = { timeout: Option.getOrUndefined(timeout) }
      return yield* Effect.mapError(
        progress ? shown(invokeDynamicStream(name, given, options)) : invokeDynamic(name, given, options),
        explainFailure
      )
    }).pipe(withGateway)
    yield* print(prettyJson(output))
  })).pipe(
    Command.withDescription("Invoke a capability and print its output as JSON.")
  )
