import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { isLoopback } from "../connection/endpoint.js"
import type { Served, ServeOptions } from "../local/LocalGateway.js"
import { failed, SignalExitCode, usageFailed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { explainLocal, systemReason } from "./localFailure.js"
import { dataDirectory, invalidValue } from "./options.js"
import * as Otlp from "./otlp.js"
import { policyOption } from "./policyOption.js"
import { print } from "./print.js"
import { sandboxOf, sandboxOption } from "./sandboxOption.js"
import { oneLine } from "./text.js"
import { vaultKey, vaultKeyFile } from "./vault/key.js"

const port = Options.integer("port").pipe(
  Options.withPseudoName("PORT"),
  Options.withDescription("The port to listen on, 7700 if not given; 0 picks a free one."),
  Options.mapEffect((value) =>
    value >= 0 && value <= 65_535 ? Effect.succeed(value) : invalidValue(`--port takes 0 to 65535, not ${value}`)
  ),
  Options.withDefault(7700)
)

const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

const options = {
  workspace: Options.text("workspace").pipe(
    Options.withPseudoName("DIR"),
    Options.withDescription("The directory that agents see as /workspace, and the only one that they can touch.")
  ),
  host: Options.text("host").pipe(
    Options.withPseudoName("HOST"),
    Options.withDescription("The address to listen on, 127.0.0.1 if not given."),
    Options.withDefault("127.0.0.1")
  ),
  port,
  data: dataDirectory,
  agent: Options.text("agent").pipe(
    Options.withPseudoName("NAME"),
    Options.withDescription("The agent whose key the ready line shows, made if need be; `agent` if not given."),
    Options.withDefault("agent")
  ),
  apiKeyFile: Options.text("api-key-file").pipe(
    Options.withPseudoName("FILE"),
    Options.withDescription(
      "A file with that agent's key, 64 hexadecimal characters. Without one, a key is made and kept with the data."
    ),
    Options.optional
  ),
  apiKey: Options.redacted("api-key").pipe(
    Options.withPseudoName("KEY"),
    Options.withDescription("The key itself; but whoever can list the processes of this machine can read it there."),
    Options.optional
  ),
  grace: Options.float("grace").pipe(
    Options.withPseudoName("SECONDS"),
    Options.withDescription(
      "How long requests that run when the gateway is stopped may take to finish, 10 if not given. A second signal stops it at once."
    ),
    Options.mapEffect((value) =>
      value >= 0 && value <= 86_400 ? Effect.succeed(value) : invalidValue(`--grace takes 0 to 86400, not ${value}`)
    ),
    Options.withDefault(10)
  ),
  backupKeyFile: Options.text("backup-key-file").pipe(
    Options.withPseudoName("FILE"),
    Options.withDescription(
      "A file with the key of backups: 32 bytes, or 64 hexadecimal characters. Without one, a key is made and kept with the data."
    ),
    Options.optional
  ),
  vaultKeyFile,
  otlp: Options.text("otlp").pipe(
    Options.withPseudoName("URL"),
    Options.withDescription(
      "Where an OpenTelemetry collector takes OTLP over HTTP, such as http://localhost:4318: traces, metrics and logs go there. Headers "
        + "for it are in OTEL_EXPORTER_OTLP_HEADERS."
    ),
    Options.mapEffect((value) =>
      isHttp(value) ? Effect.succeed(value) : invalidValue(`--otlp takes an http or https URL, not ${value}`)
    ),
    Options.optional
  ),
  sandbox: sandboxOption,
  policy: policyOption,
  allowAll: Options.boolean("allow-all").pipe(
    Options.withDescription("Let agents do everything in the workspace without asking a human.")
  ),
  allowHost: Options.text("allow-host").pipe(
    Options.withPseudoName("HOST"),
    Options.withDescription(
      "A host that agents may reach besides those of the policy: api.example.com, *.example.com, 127.0.0.1:8080, or * for all "
        + "public ones. May be given several times. Without any, and without a policy that names some, agents reach nothing."
    ),
    Options.repeated
  )
}

const readKey = (path: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(
      files.readFileString(path),
      (cause) => failed(oneLine(`The key cannot be read from ${path}${systemReason(cause)}`))
    )
    return Redacted.make(text.trim())
  })

const keyOf = (given: Option.Option<Redacted.Redacted<string>>, file: Option.Option<string>) => {
  if (Option.isNone(file)) return Effect.succeed(Option.getOrUndefined(given))
  return Option.isSome(given)
    ? Effect.fail(usageFailed("Either --api-key or --api-key-file, not both"))
    : readKey(file.value)
}

const aspects = ["files", "network", "cpu", "memory", "processes", "ending"] as const

/** The only thing that a gateway writes to standard output. */
const readyLine = ({ agent, api, apiKey, page, rpc, sandbox, supervisorToken, url }: Served): string =>
  JSON.stringify({
    ready: true,
    url,
    rpc,
    agent,
    api_key: Redacted.value(apiKey),
    api,
    supervisor_token: Redacted.value(supervisorToken),
    page: Redacted.value(page),
    sandbox: sandbox.kind,
    enforced: aspects.filter((aspect) => sandbox[aspect].enforced)
  })

const serve = (options: ServeOptions & { readonly workspace: string; readonly dataDirectory: string }) =>
  Effect.gen(function*() {
    // A signal is how a gateway is meant to end.
    MutableRef.set(yield* SignalExitCode, 0)
    const local = yield* loadLocal(() => import("../local/LocalGateway.js"))
    const served = yield* Effect.mapError(local.serve(options), explainLocal)
    yield* print(readyLine(served))
    yield* Effect.logInfo(`Agent ${served.agent} works in ${options.workspace}; data is in ${options.dataDirectory}`)
    if (!isLoopback(new URL(served.url).hostname)) {
      yield* Effect.logWarning("Other machines can connect, and keys travel unencrypted: put a TLS proxy in front")
    }
    if (served.sandbox.problem !== undefined) yield* Effect.logWarning(served.sandbox.problem)
    if (served.sandbox.kind === "none") {
      yield* Effect.logWarning("Programs that agents run can do all that you can: they run without a sandbox")
    }
    yield* Effect.logInfo(`Supervisors find their page at ${new URL("/", served.api).href}`)
    yield* Effect.logInfo(`Listening on ${served.url} and ${served.rpc}; Ctrl-C stops the gateway`)
    return yield* Effect.never
  }).pipe(Effect.scoped, Effect.onInterrupt(() => Effect.logInfo("Stopped")))

/** `kruxos gateway` */
export const gateway = Command.make(
  "gateway",
  options,
  (
    {
      agent,
      allowAll,
      allowHost,
      apiKey,
      apiKeyFile,
      backupKeyFile,
      data,
      grace,
      host,
      otlp,
      policy,
      port,
      sandbox,
      vaultKeyFile: keyFileOfVault,
      workspace
    }
  ) =>
    Effect.gen(function*() {
      if (allowAll && Option.isSome(policy)) return yield* usageFailed("Either --policy or --allow-all, not both")
      const paths = yield* Path.Path
      yield* serve({
        workspace: paths.resolve(workspace),
        dataDirectory: data === ":memory:" ? data : paths.resolve(data),
        host,
        port,
        agent,
        apiKey: yield* keyOf(apiKey, apiKeyFile),
        gracePeriod: Duration.seconds(grace),
        backupKey: Option.getOrUndefined(Option.map(backupKeyFile, (file) => ({ keyFile: paths.resolve(file) }))),
        vaultKey: yield* vaultKey(keyFileOfVault),
        sandbox: sandboxOf(sandbox),
        policy: allowAll ? "allow-all" : Option.getOrUndefined(policy),
        network: { allow: allowHost }
      }).pipe(Effect.provide(Option.match(otlp, { onNone: () => Layer.empty, onSome: Otlp.layer })))
    })
).pipe(
  Command.withDescription(
    "Serve a directory to agents. One line of JSON on standard output says that it is ready, and its keys."
  )
)
