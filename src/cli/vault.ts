import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VaultLocked } from "../errors/secrets.js"
import type { SecretAlreadyExists, TooManySecrets, UnknownSecret } from "../local/store/Secrets.js"
import type { SecretRecord } from "../local/vault/administration.js"
import type { Keeping } from "../local/vault/keeping.js"
import type { InvalidSecret } from "../local/vault/secretForm.js"
import { type CommandFailed, failed, usageFailed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { explainLocal, type LocalFailure } from "./localFailure.js"
import { dataDirectory, json } from "./options.js"
import { print, printTable } from "./print.js"
import { oneLine, prettyJson } from "./text.js"
import { vaultKey, vaultKeyFile } from "./vault/key.js"
import { valueFromStandardInput } from "./vault/value.js"

type VaultFailure = InvalidSecret | LocalFailure | SecretAlreadyExists | TooManySecrets | UnknownSecret | VaultLocked

const explain = (error: VaultFailure): CommandFailed => {
  switch (error._tag) {
    case "InvalidSecret":
      return failed(oneLine(`The secret cannot be kept: ${error.message}`))
    case "SecretAlreadyExists":
      return failed(oneLine(`${error.message}: \`kruxos vault rotate\` replaces its value`))
    case "UnknownSecret":
      return failed(oneLine(`${error.message}: \`kruxos vault list\` shows which there are`))
    case "TooManySecrets":
      return failed(oneLine(error.message))
    case "VaultLocked":
      return failed(
        oneLine(`${error.message}: see --vault-key-file and KRUXOS_VAULT_PASSPHRASE in docs/vault.md`)
      )
    default:
      return explainLocal(error)
  }
}

interface Which {
  readonly data: string
  readonly vaultKeyFile: Option.Option<string>
}

const which = { data: dataDirectory, vaultKeyFile }

const withVault = <A>(
  { data, vaultKeyFile }: Which,
  ifMissing: "make" | "fail",
  use: (keeping: Keeping) => Effect.Effect<A, VaultFailure>
) =>
  Effect.gen(function*() {
    const key = yield* vaultKey(vaultKeyFile)
    const { open } = yield* loadLocal(() => import("../local/vault/administration.js"))
    return yield* Effect.mapError(Effect.flatMap(open(data, { ifMissing, key }), use), explain)
  }).pipe(Effect.scoped)

const name = Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("The secret's name."))

const several = (option: string, value: string, description: string) =>
  Options.text(option).pipe(
    Options.withPseudoName(value),
    Options.withDescription(`${description} May be given several times.`),
    Options.repeated
  )

const add = Command.make("add", {
  name: Options.withDescription(
    name,
    "1 to 128 letters, digits, \"-\", \"_\" and \".\", with a letter or digit first."
  ),
  agent: several("agent", "AGENT", "An agent that may use it, or * for all."),
  capability: several(
    "capability",
    "CAPABILITY",
    "What it may be used for: network.credentialed_request, network.* or *."
  ),
  host: several(
    "host",
    "HOST",
    "Where it may be sent: api.example.com, *.example.com, 127.0.0.1:8080, or * for all public hosts."
  ),
  type: Options.choice("type", ["api_key", "oauth_token", "agent_auth_token", "encryption_key"]).pipe(
    Options.withDescription(
      "What it is; api_key if not given. Of an oauth_token in JSON only its access_token goes out."
    ),
    Options.withDefault("api_key" as const)
  ),
  ...which
}, ({ agent, capability, host, name, type, ...where }) =>
  Effect.gen(function*() {
    const scopes = { agents: agent, capabilities: capability, hosts: host }
    if (Object.values(scopes).some(({ length }) => length === 0)) {
      return yield* usageFailed("A secret that is for no --agent, no --capability or no --host could never be used")
    }
    const value = yield* valueFromStandardInput
    yield* withVault(where, "make", (keeping) => keeping.add({ name, type, value, ...scopes }))
    yield* print(`Secret ${name} is kept.`)
  })).pipe(Command.withDescription("Keep a secret, whose value comes from standard input."))

const wireForm = (secret: SecretRecord) => ({
  name: secret.name,
  type: secret.type,
  agents: secret.agents,
  allowed_capabilities: secret.capabilities,
  hosts: secret.hosts,
  created_at: DateTime.formatIso(secret.createdAt),
  rotated_at: secret.rotatedAt === null ? null : DateTime.formatIso(secret.rotatedAt),
  revoked: secret.revokedAt !== null
})

const row = (secret: SecretRecord) => [
  secret.name,
  secret.revokedAt === null ? "active" : "revoked",
  secret.type,
  secret.agents.join(","),
  secret.capabilities.join(","),
  secret.hosts.join(","),
  DateTime.formatIso(secret.rotatedAt ?? secret.createdAt)
]

const list = Command.make(
  "list",
  { data: dataDirectory, json: json("Print the secrets as JSON, without their values.") },
  ({ data, json }) =>
    Effect.gen(function*() {
      const secrets = yield* withVault({ data, vaultKeyFile: Option.none() }, "fail", (keeping) => keeping.list)
      if (json) return yield* print(prettyJson(secrets.map(wireForm)))
      yield* printTable([
        ["NAME", "STATUS", "TYPE", "AGENTS", "CAPABILITIES", "HOSTS", "VALUE SINCE"],
        ...secrets.map(row)
      ])
    })
).pipe(Command.withDescription("List the secrets, the revoked ones too. Nothing shows their values."))

const rotate = Command.make("rotate", { name, ...which }, ({ name, ...where }) =>
  Effect.gen(function*() {
    const value = yield* valueFromStandardInput
    yield* withVault(where, "fail", (keeping) => keeping.rotate(name, value))
    yield* print(`Secret ${name} has another value.`)
  })).pipe(Command.withDescription("Replace the value of a secret by the one on standard input."))

const revoke = Command.make("revoke", { name, data: dataDirectory }, ({ data, name }) =>
  Effect.gen(function*() {
    yield* withVault({ data, vaultKeyFile: Option.none() }, "fail", (keeping) => keeping.revoke(name))
    yield* print(`Secret ${name} is revoked: its value is gone.`)
  })).pipe(Command.withDescription("Take a secret away for good."))

/** `kruxos vault` */
export const vault = Command.make("vault").pipe(
  Command.withDescription("Keep the secrets that agents use and never see, also while a gateway runs on the data."),
  Command.withSubcommands([add, list, rotate, revoke])
)
