import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { KruxosError } from "../errors/KruxosError.js"
import { Capabilities, type CapabilitiesService, type InvokeOptions } from "../services/Capabilities.js"
import type { GatewayServices } from "../services/Gateway.js"
import { withGateway } from "./client.js"
import { failed, usageFailed } from "./exit.js"
import { explainFailure } from "./explainFailure.js"
import { jsonInput } from "./jsonInput.js"
import { json, timeout, wholeNumber } from "./options.js"
import { print, printError, printTable } from "./print.js"
import { key, prefix, tier } from "./state/options.js"
import { keysTable, versionsTable, writtenLine } from "./state/text.js"
import { watch as watching } from "./state/watch.js"
import { oneLine, prettyJson } from "./text.js"

type Use<A> = (
  invoke: CapabilitiesService["invoke"],
  options: InvokeOptions
) => Effect.Effect<A, KruxosError, GatewayServices>

const asAgent = <A>(timeout: Option.Option<Duration.Duration>, use: Use<A>) =>
  Capabilities.pipe(
    Effect.flatMap(({ invoke }) => use(invoke, { timeout: Option.getOrUndefined(timeout) })),
    Effect.mapError(explainFailure),
    withGateway
  )

const list = Command.make(
  "list",
  { tier, prefix, timeout, json: json("Print the keys as JSON.") },
  ({ json, prefix, tier, timeout }) =>
    Effect.gen(function*() {
      const input = Option.match(prefix, { onNone: () => ({}), onSome: (prefix) => ({ prefix }) })
      const found = yield* asAgent(timeout, (invoke, options) =>
        tier === "shared"
          ? invoke("state.shared.list", input, options)
          : invoke("state.persistent.list", input, options))
      if (json) {
        return yield* print(prettyJson(found))
      }
      if (found.entries.length === 0) return yield* printError(`The ${tier} state has no such key`)
      yield* printTable(keysTable(found.entries))
    })
).pipe(Command.withDescription("List the keys, and how large their values are."))

const get = Command.make(
  "get",
  {
    key,
    tier,
    version: wholeNumber("at-version", 1, Number.MAX_SAFE_INTEGER).pipe(
      Options.withPseudoName("NUMBER"),
      Options.withDescription("An older version, of a key of the persistent state."),
      Options.optional
    ),
    timeout,
    json: json("Print the whole entry as JSON, and not the value alone.")
  },
  ({ json, key, tier, timeout, version }) =>
    Effect.gen(function*() {
      if (tier === "shared" && Option.isSome(version)) {
        return yield* usageFailed("The shared state has no older versions: leave --at-version out")
      }
      const input = Option.match(version, { onNone: () => ({ key }), onSome: (version) => ({ key, version }) })
      const entry = yield* asAgent(timeout, (invoke, options) =>
        tier === "shared"
          ? invoke("state.shared.get", { key }, options)
          : invoke("state.persistent.get", input, options))
      if (!entry.found) return yield* failed(oneLine(`The ${tier} state has no ${key}`))
      yield* print(prettyJson(json ? { key, ...entry } : entry.value))
    })
).pipe(Command.withDescription("Print the value of a key as JSON."))

const set = Command.make(
  "set",
  {
    key,
    value: Args.text({ name: "value" }).pipe(
      Args.withDescription("The value as JSON, or - to read it from standard input.")
    ),
    tier,
    expectedVersion: wholeNumber("expected-version", 0, Number.MAX_SAFE_INTEGER).pipe(
      Options.withPseudoName("NUMBER"),
      Options.withDescription(
        "The version that the key of the shared state has, and without which nothing is written; 0 for a new key."
      ),
      Options.optional
    ),
    timeout,
    json: json("Print the new version as JSON.")
  },
  ({ expectedVersion, json, key, tier, timeout, value: text }) =>
    Effect.gen(function*() {
      const expected_version = Option.getOrUndefined(expectedVersion)
      if (tier === "persistent" && expected_version !== undefined) {
        return yield* usageFailed("Only the shared state asks for a version: leave --expected-version out")
      }
      if (tier === "shared" && expected_version === undefined) {
        return yield* usageFailed(
          "The shared state needs --expected-version: 0 for a new key, else what `kruxos state get --tier shared --json` shows"
        )
      }
      const value = yield* jsonInput(text, "The value")
      const written = yield* asAgent(timeout, (invoke, options) =>
        expected_version === undefined
          ? invoke("state.persistent.set", { key, value }, options)
          : invoke("state.shared.set", { key, value, expected_version }, options))
      yield* print(json ? prettyJson({ key, ...written }) : writtenLine(key, written.version))
    })
).pipe(Command.withDescription("Store a value."))

const remove = Command.make(
  "delete",
  { key, tier, timeout, json: json("Print what was done as JSON.") },
  ({ json, key, tier, timeout }) =>
    Effect.gen(function*() {
      const { deleted } = yield* asAgent(timeout, (invoke, options) =>
        tier === "shared"
          ? invoke("state.shared.delete", { key }, options)
          : invoke("state.persistent.delete", { key }, options))
      if (!deleted) return yield* failed(oneLine(`The ${tier} state has no ${key}`))
      yield* print(json ? prettyJson({ key, deleted }) : oneLine(`${key} is deleted`))
    })
).pipe(Command.withDescription("Remove a key."))

const history = Command.make(
  "history",
  {
    key,
    limit: wholeNumber("limit", 1, 1000).pipe(
      Options.withDescription("How many versions at most."),
      Options.optional
    ),
    timeout,
    json: json("Print the versions as JSON, with nothing cut.")
  },
  ({ json, key, limit, timeout }) =>
    Effect.gen(function*() {
      const input = Option.match(limit, { onNone: () => ({ key }), onSome: (limit) => ({ key, limit }) })
      const found = yield* asAgent(timeout, (invoke, options) => invoke("state.persistent.history", input, options))
      if (json) return yield* print(prettyJson({ key, ...found }))
      if (found.versions.length === 0) return yield* failed(oneLine(`The persistent state has no ${key}`))
      yield* printTable(versionsTable(found.versions))
    })
).pipe(Command.withDescription("List the versions of a key of the persistent state, the newest first."))

const watch = Command.make(
  "watch",
  {
    prefix,
    current: Options.boolean("current").pipe(Options.withDescription("Begin with the keys that there are.")),
    json: json("Print each change as one line of JSON.")
  },
  ({ prefix, ...how }) => withGateway(watching(Option.getOrElse(prefix, () => ""), how))
).pipe(Command.withDescription("Print what changes in the shared state as it does, until Ctrl-C."))

/** `kruxos state` */
export const state = Command.make("state").pipe(
  Command.withDescription("Look into an agent's state and change it, as the agent whose key KRUXOS_API_KEY is."),
  Command.withSubcommands([list, get, set, remove, history, watch])
)
