import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import { packageVersion } from "../connection/Options.js"
import { agent } from "./agent.js"
import { approvals } from "./approvals.js"
import { audit } from "./audit.js"
import { capabilities } from "./capabilities.js"
import { codegen } from "./codegen.js"
import { describe } from "./describe.js"
import { doctor } from "./doctor.js"
import { gateway } from "./gateway.js"
import { invoke } from "./invoke.js"
import { policy } from "./policy.js"
import { state } from "./state.js"
import { status } from "./status.js"
import { vault } from "./vault.js"
import { watch } from "./watch.js"

const footer = HelpDoc.blocks([
  HelpDoc.h1("OPTIONS OF EVERY COMMAND"),
  HelpDoc.p("-h, --help           show this page, or that of a command"),
  HelpDoc.p("--version            show the version"),
  HelpDoc.p(
    "--log-level LEVEL    what to log to standard error: debug, info (the default), warning, error, none"
  ),
  HelpDoc.p("--completions SHELL  print the completion script for bash, fish or zsh"),
  HelpDoc.h1("ENVIRONMENT"),
  HelpDoc.p(
    "KRUXOS_HOST          host:port or URL of the gateway to use; localhost:7700 if not set"
  ),
  HelpDoc.p("KRUXOS_API_KEY       the agent's key: capabilities, describe, invoke, state and codegen need it"),
  HelpDoc.p("KRUXOS_VAULT_PASSPHRASE  what secrets are encrypted with, for the gateway and `kruxos vault`"),
  HelpDoc.h1("EXIT CODES"),
  HelpDoc.p("0  done; for the gateway: stopped by SIGINT or SIGTERM"),
  HelpDoc.p("1  failed; standard error says why"),
  HelpDoc.p("2  the command line was not understood"),
  HelpDoc.p("3  the invocation waits for a human's approval; standard error says its id")
])

/** Runs the command that the arguments of the process (`process.argv`) call for. */
export const run = Command.make("kruxos").pipe(
  Command.withDescription("Serve a gateway to agents, look after them, and use a gateway from the command line."),
  Command.withSubcommands([
    gateway,
    doctor,
    status,
    watch,
    agent,
    vault,
    policy,
    approvals,
    audit,
    capabilities,
    describe,
    invoke,
    state,
    codegen
  ]),
  Command.run({ name: "kruxos", version: packageVersion, footer })
)
