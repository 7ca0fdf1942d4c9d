import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { builtIn } from "../../../../src/catalogue/builtIn.js"
import type { KruxosError } from "../../../../src/errors/KruxosError.js"
import { makeGitHandlers } from "../../../../src/local/capabilities/git/handlers.js"
import { registerAll } from "../../../../src/local/capabilities/Handler.js"
import * as Egress from "../../../../src/local/egress/Egress.js"
import * as HostPattern from "../../../../src/local/egress/HostPattern.js"
import * as Policy from "../../../../src/local/policy/Policy.js"
import { type Launch, Sandbox, type SandboxChoice } from "../../../../src/local/sandbox/Sandbox.js"
import * as SandboxLayer from "../../../../src/local/sandbox/sandboxLayer.js"
import { fixture } from "../../workspace/support.js"
import { invocationBy } from "../invocation.js"

const policyOf = (allow: ReadonlyArray<string>): Policy.PolicyService => {
  const patterns = allow.map((text) => Either.getOrThrowWith(HostPattern.parse(text), (what) => new Error(what)))
  const egress = Egress.make([{ rule: "organization:network.allow", patterns }])
  return { ...Policy.allowAll, egress: () => egress }
}

const anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** The author of what tests commit. */
export const author = { author_name: "Ada", author_email: "ada@example.org" }

const quiet = {
  GIT_AUTHOR_DATE: "@1700000000 +0000",
  GIT_COMMITTER_DATE: "@1700000000 +0000",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  HOME: "/nonexistent",
  PATH: process.env["PATH"]
}

/** Runs git as somebody would who is no agent. */
export const gitIn = (directory: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", [
    "-c",
    "user.name=Eve",
    "-c",
    "user.email=eve@example.org",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "protocol.file.allow=always",
    ...args
  ], { cwd: directory, env: quiet, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim()

/** A workspace, and what an agent does in it: in the sandbox, where this machine has one. */
export const world = (allow: ReadonlyArray<string> = [], choice: SandboxChoice = "bubblewrap") =>
  Effect.gen(function*() {
    const made = yield* fixture()
    const real = Context.get(yield* Layer.build(SandboxLayer.layer({ choice })), Sandbox)
    const launches: Array<Launch> = []
    const sandbox: Sandbox["Type"] = {
      ...real,
      launch: (launch) => Effect.suspend(() => (launches.push(launch), real.launch(launch)))
    }
    const handlers = yield* makeGitHandlers.pipe(
      Effect.provideService(Policy.Policy, policyOf(allow)),
      Effect.provideService(Sandbox, sandbox)
    )
    const registrations = new Map(registerAll(builtIn, handlers).map((each) => [each.capability.name, each]))
    const invocation = { ...yield* invocationBy("agent", made.root), workspace: made.workspace }

    const invoke = (
      name: keyof typeof handlers,
      input: { readonly [name: string]: unknown }
    ): Effect.Effect<{ readonly [name: string]: unknown }, KruxosError> =>
      Effect.gen(function*() {
        const registration = registrations.get(name)
        if (registration === undefined) return yield* Effect.dieMessage(`no ${name}`)
        const output = yield* (yield* registration.prepare(input))(invocation)
        return yield* Effect.orDie(Schema.decodeUnknown(anything)(output))
      })

    const write = (path: string, text: string, options: fs.WriteFileOptions = {}) => {
      fs.mkdirSync(dirname(join(made.root, path)), { recursive: true })
      fs.writeFileSync(join(made.root, path), text, options)
    }

    return {
      ...made,
      sandbox,
      /** What git was started with in the sandbox. */
      launches,
      hasSandbox: (yield* real.facts).kind === "bubblewrap",
      invoke,
      failing: (name: keyof typeof handlers, input: { readonly [name: string]: unknown }) =>
        Effect.flip(invoke(name, input)),
      write,
      git: (path: string, ...args: ReadonlyArray<string>) => gitIn(join(made.root, path), ...args),
      /** A repository with one commit, which has the given files. */
      repository: (path: string, files: { readonly [file: string]: string } = { "a.txt": "one\n" }) => {
        fs.mkdirSync(join(made.root, path), { recursive: true })
        gitIn(join(made.root, path), "init", "--quiet")
        for (const [file, text] of Object.entries(files)) write(`${path}/${file}`, text)
        gitIn(join(made.root, path), "add", "--all")
        gitIn(join(made.root, path), "commit", "--quiet", "--message=first")
      },
      head: (path: string) => gitIn(join(made.root, path), "rev-parse", "HEAD")
    }
  })
