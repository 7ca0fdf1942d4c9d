import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { builtIn } from "../../../../src/catalogue/builtIn.js"
import type { KruxosError } from "../../../../src/errors/KruxosError.js"
import { type Invocation, registerAll } from "../../../../src/local/capabilities/Handler.js"
import { makeProcessHandlers } from "../../../../src/local/capabilities/process/handlers.js"
import * as ProcessTable from "../../../../src/local/capabilities/process/ProcessTable.js"
import * as Egress from "../../../../src/local/egress/Egress.js"
import * as Policy from "../../../../src/local/policy/Policy.js"
import type { SandboxChoice } from "../../../../src/local/sandbox/Sandbox.js"
import * as SandboxLayer from "../../../../src/local/sandbox/sandboxLayer.js"
import * as Confined from "../../../../src/local/workspace/confined.js"
import { invocationBy } from "../invocation.js"

/** Why tests that need the sandbox are left out here, if they are. */
export const withoutBubblewrap: string | undefined = (() => {
  try {
    execFileSync("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"], { stdio: "ignore" })
    return undefined
  } catch {
    return "bubblewrap is missing here, or does not work"
  }
})()

/** Each sandbox that works here, to run the same tests in. */
export const sandboxes: ReadonlyArray<{ readonly sandbox: SandboxChoice }> = [
  { sandbox: "none" },
  ...withoutBubblewrap === undefined ? [{ sandbox: "bubblewrap" as const }] : []
]

/** The title of what is tested, with the reason where it is left out. */
export const inBubblewrap = (title: string): string =>
  withoutBubblewrap === undefined ? title : `${title} (left out: ${withoutBubblewrap})`

/** What a capability answered. */
export type Answer = { readonly [name: string]: unknown }

export type Name = Extract<keyof typeof builtIn, `process.${string}`>

/** A world with a workspace of its own and a gateway's processes, but no gateway. */
export interface World {
  readonly folder: string
  readonly workspace: string
  /** Invokes as an agent in its session. */
  readonly invoke: (
    name: Name,
    input: Answer,
    more?: Partial<Invocation>
  ) => Effect.Effect<Answer, KruxosError>
}

export interface WorldOptions {
  readonly sandbox?: SandboxChoice | undefined
  readonly egress?: Egress.Egress | undefined
  /** Whether control groups hold programs where they can. */
  readonly controlGroups?: boolean | undefined
  /** Where the gateway's data lie, below the folder. */
  readonly data?: string | undefined
}

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "kruxos-process-")))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

export const make = (
  { controlGroups, data, egress = Egress.nowhere, sandbox }: WorldOptions = {}
): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const root = join(folder, "workspace")
    fs.mkdirSync(root)
    const dataDirectory = data === undefined ? undefined : join(folder, data)
    if (dataDirectory !== undefined) fs.mkdirSync(dataDirectory, { recursive: true })
    const workspace = yield* Effect.orDie(Confined.make(root))
    const table = yield* Layer.build(
      Layer.provide(ProcessTable.layer, SandboxLayer.layer({ choice: sandbox, controlGroups, dataDirectory }))
    )
    const handlers = yield* makeProcessHandlers.pipe(
      Effect.provide(table),
      Effect.provideService(Policy.Policy, { ...Policy.allowAll, egress: () => egress })
    )
    const registrations = registerAll(builtIn, handlers)
    const invocation = yield* invocationBy("agent", root)
    return {
      folder,
      workspace: root,
      invoke: (name, input, more = {}) =>
        Effect.gen(function*() {
          const registration = registrations.find(({ capability }) => capability.name === name)
          if (registration === undefined) return yield* Effect.dieMessage(`no ${name}`)
          const prepared = yield* registration.prepare(input)
          const output = yield* prepared({ ...invocation, workspace, ...more })
          return yield* Effect.orDie(
            Schema.decodeUnknown(Schema.Record({ key: Schema.String, value: Schema.Unknown }))(output)
          )
        })
    }
  })

/** The field of an answer as text. */
export const text = (answer: Answer, field: string): string => String(answer[field])

/** The processes of this machine whose command line has a word. */
export const runningWith = (word: string): ReadonlyArray<string> =>
  fs.readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word)
    } catch {
      return false
    }
  })
