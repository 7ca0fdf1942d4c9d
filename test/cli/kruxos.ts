import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"
import { until, within } from "../support/deadline.js"

/** The directories that a gateway is given. */
export interface Folders {
  readonly workspace: string
  readonly dataDirectory: string
}

/** An empty workspace and an empty data directory, which go with the scope. */
export const folders: Effect.Effect<Folders, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "kruxos-cli-")))),
    (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
  ),
  (folder) => {
    const made = { workspace: join(folder, "workspace"), dataDirectory: join(folder, "data") }
    for (const path of Object.values(made)) fs.mkdirSync(path)
    return made
  }
)

/** What a process printed, and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A `kruxos` that runs. */
export interface Running {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/** What a command is run with; of the environment's own KRUXOS variables it gets none. */
export interface RunOptions {
  readonly env?: { readonly [name: string]: string }
  readonly stdin?: string | Uint8Array
  /** Runs the source as it is. */
  readonly uncompiled?: true
}

const root = new URL("../..", import.meta.url).pathname

const environment = (added: RunOptions["env"]) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("KRUXOS_"))),
  ...added
})

const collect = (child: ChildProcess, name: "stdout" | "stderr") => {
  let text = ""
  child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk
  })
  return () => text
}

/** Starts `kruxos` from its source; it is killed with the scope. */
export const start = (
  args: ReadonlyArray<string>,
  { env, stdin, uncompiled }: RunOptions = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const program = uncompiled ? ["--import", "tsx", join(root, "src/cli/main.ts")] : [inject("command")]
      const child = spawn(process.execPath, [...program, ...args], {
        cwd: root,
        env: environment(env),
        stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"]
      })
      // Who does not want all of it closes it early.
      if (stdin !== undefined) child.stdin?.on("error", () => undefined).end(stdin)
      const over = new Promise<void>((resolve) => child.once("close", () => resolve()))
      return {
        child,
        closed: Effect.promise(() => over),
        stdout: collect(child, "stdout"),
        stderr: collect(child, "stderr")
      }
    }),
    ({ child, closed }) => Effect.zipRight(Effect.sync(() => child.kill("SIGKILL")), closed)
  ).pipe(
    Effect.map(({ child, closed, stderr, stdout }) => ({
      stdout,
      stderr,
      kill: (signal) => Effect.sync(() => void child.kill(signal)),
      ended: Effect.map(closed, () => ({
        code: child.exitCode,
        signal: child.signalCode,
        stdout: stdout(),
        stderr: stderr()
      })).pipe(within(`kruxos ${args.join(" ")} to end`, "15 seconds"))
    }))
  )

/** Runs `kruxos` to its end. */
export const kruxos = (args: ReadonlyArray<string>, options?: RunOptions): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(args, options), ({ ended }) => ended))

const Ready = Schema.parseJson(Schema.Struct({
  ready: Schema.Literal(true),
  url: Schema.String,
  rpc: Schema.String,
  agent: Schema.String,
  api_key: Schema.String,
  api: Schema.String,
  supervisor_token: Schema.String,
  page: Schema.String,
  sandbox: Schema.String,
  enforced: Schema.Array(Schema.String)
}))

/** What a gateway says when it is ready. */
export type Ready = typeof Ready.Type

/** A gateway that runs in a process of its own. */
export interface GatewayProcess extends Running, Folders {
  readonly ready: Ready
  /** The environment for the commands that use a gateway. */
  readonly env: { readonly KRUXOS_HOST: string; readonly KRUXOS_API_KEY: string }
}

/** Starts a gateway on a free port, in folders of its own unless others are given. */
export const startGateway = (
  args: ReadonlyArray<string> = [],
  used?: Folders,
  options: RunOptions = {}
): Effect.Effect<GatewayProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { dataDirectory, workspace } = used ?? (yield* folders)
    const running = yield* start(
      ["gateway", "--workspace", workspace, "--data", dataDirectory, "--port", "0", ...args],
      options
    )
    yield* until("the ready line", Effect.sync(() => running.stdout().includes("\n"))).pipe(
      Effect.raceFirst(
        Effect.flatMap(running.ended, (ended) => Effect.dieMessage(`It ended: ${JSON.stringify(ended)}`))
      )
    )
    const ready = yield* Effect.orDie(Schema.decodeUnknown(Ready)(running.stdout().split("\n")[0]))
    return {
      ...running,
      ready,
      workspace,
      dataDirectory,
      env: { KRUXOS_HOST: ready.url, KRUXOS_API_KEY: ready.api_key }
    }
  })

/** The gateway that the tests of a file share. */
export class SharedGateway extends Context.Tag("test/cli/SharedGateway")<SharedGateway, GatewayProcess>() {
  static readonly layer = (args: ReadonlyArray<string> = []) => Layer.scoped(SharedGateway, startGateway(args))
}

/** See `takenPort`. */
export interface TakenPort {
  readonly port: number
  /** How many connections were taken so far. */
  readonly connections: () => number
}

/** A port of this machine where connections are taken and nothing is said. */
export const takenPort: Effect.Effect<TakenPort, never, Scope.Scope> = Effect.acquireRelease(
  Effect.async<TakenPort & { readonly close: () => void }>((resume) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => sockets.add(socket.on("error", () => {})))
    const close = () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (typeof address !== "object" || address === null) return resume(Effect.dieMessage("There is no port"))
      resume(Effect.succeed({ port: address.port, connections: () => sockets.size, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)
