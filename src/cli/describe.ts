import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import { Capabilities } from "../services/Capabilities.js"
import { withGateway } from "./client.js"
import { definitionPage } from "./definitionPage.js"
import { explainFailure } from "./explainFailure.js"
import { json } from "./options.js"
import { print } from "./print.js"
import { prettyJson } from "./text.js"

const encode = Schema.encodeSync(CapabilityDefinition)

const config = {
  name: Args.text({ name: "name" }).pipe(Args.withDescription("The capability, such as filesystem.read.")),
  json: json("Print the definition as JSON.")
}

/** `kruxos describe` */
export const describe = Command.make("describe", config, ({ json, name }) =>
  Effect.gen(function*() {
    const capabilities = yield* Capabilities
    const definition = yield* Effect.mapError(capabilities.describe(name), explainFailure)
    yield* print(json ? prettyJson(encode(definition)) : definitionPage(definition))
  }).pipe(withGateway)).pipe(
    Command.withDescription("Show all that the gateway says of a capability.")
  )
