import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Administration, Agent } from "../local/administration.js"
import type { CommandFailed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { explainLocal, type LocalFailure } from "./localFailure.js"
import { dataDirectory, json, optionalText } from "./options.js"
import { print, printError, printTable } from "./print.js"
import { prettyJson } from "./text.js"

const name = Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("The agent's name."))

const keyAsJson = json("Print {\"agent\", \"api_key\"} as JSON.")

const administer = <A>(
  directory: string,
  ifMissing: "make" | "fail",
  use: (administration: Administration) => Effect.Effect<A, LocalFailure>
): Effect.Effect<A, CommandFailed> =>
  Effect.gen(function*() {
    const { open } = yield* loadLocal(() => import("../local/administration.js"))
    return yield* Effect.mapError(Effect.flatMap(open(directory, { ifMissing }), use), explainLocal)
  }).pipe(Effect.scoped)

const printKey = (agent: string, apiKey: Redacted.Redacted<string>, asJson: boolean) =>
  Effect.gen(function*() {
    const key = Redacted.value(apiKey)
    if (asJson) return yield* print(JSON.stringify({ agent, api_key: key }))
    yield* print(`Agent:   ${agent}\nAPI key: ${key}`)
    yield* printError("The key is not kept and cannot be shown again.")
  })

const create = Command.make("create", {
  name: Options.withDescription(
    name,
    "1 to 64 letters, digits, \"-\", \"_\" and \".\", with a letter or digit first."
  ),
  data: dataDirectory,
  purpose: optionalText("purpose", "TEXT", "What the agent is for, in a sentence."),
  policyGroup: optionalText(
    "policy-group",
    "GROUP",
    "The group whose policy rules apply to it; `default` if not given."
  ),
  workspace: optionalText("workspace", "DIR", "A directory of its own as /workspace, instead of the gateway's."),
  json: keyAsJson
}, ({ data, json, name, policyGroup, purpose, workspace }) =>
  Effect.gen(function*() {
    const paths = yield* Path.Path
    const created = yield* administer(data, "make", (administration) =>
      administration.create({
        name,
        purpose: Option.getOrUndefined(purpose),
        policyGroup: Option.getOrUndefined(policyGroup),
        workspace: Option.getOrUndefined(Option.map(workspace, (path) => paths.resolve(path)))
      }))
    yield* printKey(created.agent.name, created.apiKey, json)
  })).pipe(Command.withDescription("Add an agent, and print its key this once."))

const wireForm = (agent: Agent) => ({
  name: agent.name,
  status: agent.status,
  policy_group: agent.policyGroup,
  workspace: Option.getOrNull(agent.workspace),
  created_at: DateTime.formatIso(agent.createdAt),
  key_generation: agent.keyGeneration,
  purpose: agent.purpose
})

const row = (agent: Agent) => [
  agent.name,
  agent.status,
  agent.policyGroup,
  Option.getOrElse(agent.workspace, () => "-"),
  DateTime.formatIso(agent.createdAt),
  agent.purpose
]

const list = Command.make(
  "list",
  { data: dataDirectory, json: json("Print the agents as JSON.") },
  ({ data, json }) =>
    Effect.gen(function*() {
      const agents = yield* administer(data, "fail", (administration) => administration.list)
      if (json) return yield* print(prettyJson(agents.map(wireForm)))
      const rows = [["NAME", "STATUS", "POLICY GROUP", "WORKSPACE", "CREATED", "PURPOSE"], ...agents.map(row)]
      yield* printTable(rows)
    })
).pipe(Command.withDescription("List the agents, the revoked ones too."))

const rotate = Command.make(
  "rotate",
  { name, data: dataDirectory, json: keyAsJson },
  ({ data, json, name }) =>
    Effect.gen(function*() {
      const { apiKey, copyFailed } = yield* administer(data, "fail", (administration) => administration.rotate(name))
      yield* printKey(name, apiKey, json)
      if (Option.isSome(copyFailed)) {
        yield* Effect.logWarning(
          `${copyFailed.value.message}: start the gateway with --api-key-file, or it will look for the old key`
        )
      }
    })
).pipe(Command.withDescription("Replace an agent's key, and print the new one this once. The old one is refused."))

const revoke = Command.make("revoke", { name, data: dataDirectory }, ({ data, name }) =>
  Effect.gen(function*() {
    yield* administer(data, "fail", (administration) => administration.revoke(name))
    yield* print(`Agent ${name} is revoked: its key is refused and its sessions end. Its name stays taken.`)
  })).pipe(Command.withDescription("Take an agent's access away for good."))

const pause = Command.make("pause", { name, data: dataDirectory }, ({ data, name }) =>
  Effect.gen(function*() {
    yield* administer(data, "fail", (administration) => administration.pause(name))
    yield* print(`Agent ${name} is paused: it stays connected, and what it invokes fails until it is resumed.`)
  })).pipe(Command.withDescription("Let an agent invoke nothing until it is resumed."))

const resume = Command.make("resume", { name, data: dataDirectory }, ({ data, name }) =>
  Effect.gen(function*() {
    yield* administer(data, "fail", (administration) => administration.resume(name))
    yield* print(`Agent ${name} is active.`)
  })).pipe(Command.withDescription("Let a paused agent go on."))

/** `kruxos agent` */
export const agent = Command.make("agent").pipe(
  Command.withDescription("Look after the agents of a data directory, also while a gateway runs on it."),
  Command.withSubcommands([create, list, rotate, pause, resume, revoke])
)
