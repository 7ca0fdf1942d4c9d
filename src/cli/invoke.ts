import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Capabilities } from "../services/Capabilities.js"
import { withGateway } from "./client.js"
import { failed, usageFailed } from "./exit.js"
import { explainFailure } from "./explainFailure.js"
import { duration } from "./options.js"
import { print } from "./print.js"
import { oneLine, prettyJson } from "./text.js"

const config = {
  name: Args.text({ name: "name" }).pipe(Args.withDescription("The capability, such as filesystem.read.")),
  input: Args.text({ name: "input" }).pipe(
    Args.withDescription("Its inputs: a JSON object, or - to read one from standard input."),
    Args.optional
  ),
  timeout: duration("timeout").pipe(
    Options.withDescription(
      "How long to wait for the answer: 500ms, 30s, 2m. 30s unless the capability's own timeout is longer."
    ),
    Options.optional
  )
}

const standardInput = NodeStream.stdin.pipe(
  Stream.decodeText(),
  Stream.mkString,
  Effect.mapError((cause) => failed(oneLine(`Standard input cannot be read: ${String(cause)}`)))
)

const decode = Schema.decodeUnknownEither(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const inputOf = (text: string) =>
  Effect.gen(function*() {
    const value = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (cause) => usageFailed(oneLine(`The input is not JSON: ${cause instanceof Error ? cause.message : ""}`))
    })
    return yield* Effect.mapError(
      Array.isArray(value) ? Effect.fail(undefined) : decode(value),
      () => usageFailed("The input is not a JSON object, such as '{\"path\": \"README.md\"}'")
    )
  })

/** `kruxos invoke` */
export const invoke = Command.make("invoke", config, ({ input, name, timeout }) =>
  Effect.gen(function*() {
    const text = Option.getOrElse(input, () => "{}")
    const given = yield* Effect.flatMap(text === "-" ? standardInput : Effect.succeed(text), inputOf)
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
