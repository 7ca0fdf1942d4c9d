import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import { Capabilities } from "../services/Capabilities.js"
import { withGateway } from "./client.js"
import { explainFailure } from "./explainFailure.js"
import { json, optionalText } from "./options.js"
import { print, printError, printTable } from "./print.js"
import { prettyJson } from "./text.js"

const encode = Schema.encodeSync(Schema.Array(CapabilityDefinition))

const filter = (name: string, description: string) => optionalText(name, "TEXT", description)

const options = {
  category: filter("category", "Only those whose name starts with it: `filesystem` for `filesystem.read`."),
  tag: filter("tag", "Only those that have this tag, such as `safe`."),
  nameContains: filter("name-contains", "Only those with this text in their name, whatever its case."),
  json: json("Print the definitions as JSON.")
}

/** `kruxos capabilities` */
export const capabilities = Command.make(
  "capabilities",
  options,
  ({ category, json, nameContains, tag }) =>
    Effect.gen(function*() {
      const service = yield* Capabilities
      const found = yield* Effect.mapError(
        service.list({
          category: Option.getOrUndefined(category),
          tag: Option.getOrUndefined(tag),
          nameContains: Option.getOrUndefined(nameContains)
        }),
        explainFailure
      )
      if (json) return yield* print(prettyJson(encode(found)))
      if (found.length === 0) return yield* printError("No capability that this agent sees fits")
      const rows = found.map(({ name, permissionTier, purpose }) => [name, permissionTier ?? "-", purpose])
      yield* printTable([["NAME", "TIER", "PURPOSE"], ...rows])
    }).pipe(withGateway)
).pipe(Command.withDescription("List what the agent can do at its gateway."))
