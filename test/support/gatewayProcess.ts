import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Capabilities, type GatewayOptions } from "kruxos"
import { NodeGateway } from "kruxos/node"
import { type ChildProcess, spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import * as fs from "node:fs"
import { createServer } from "node:net"
import { inject } from "vitest"
import { until, within } from "./deadline.js"
import { folders, type TestGateway, testGateway } from "./gateway.js"

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const Memory = Schema.Struct({ rss: Schema.Number, heapUsed: Schema.Number, external: Schema.Number })

/** What a process uses, in bytes. */
export type Memory = typeof Memory.Type

/** A real `kruxos gateway` in a process of its own, whose port and data stay the same however often it is started. */
export interface GatewayProcess extends TestGateway {
  /** Sends a signal to the process that runs, and waits until it has ended. */
  readonly end: (signal: NodeJS.Signals) => Effect.Effect<Ended>
  /** Sends a signal and waits for nothing. */
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** How the process that runs, or ran last, ended; waits for it. */
  readonly ended: Effect.Effect<Ended>
  /** Starts it again, on the same port and data; to be used when it has ended. */
  readonly startAgain: Effect.Effect<void>
  /** What it uses after its garbage has been collected. */
  readonly memory: Effect.Effect<Memory>
  /** How much memory it occupies at this moment, garbage included, in bytes. */
  readonly residentBytes: Effect.Effect<number>
  /** How many file descriptors it has open. */
  readonly descriptors: Effect.Effect<number>
  /** What it has logged so far. */
  readonly log: () => string
}

const root = new URL("../..", import.meta.url).pathname

// Answers each message of the parent with what the process uses, and keeps nothing alive.
const probe = `data:text/javascript,${
  encodeURIComponent(
    "process.on('message', () => { gc(); setTimeout(() => { gc(); process.send(process.memoryUsage()) }, 10) });" +
      "process.channel.unref()"
  )
}`

const isFree = (port: number) =>
  Effect.async<boolean>((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resume(Effect.succeed(true))))
  })

// Below those that the system gives to outgoing connections, so that nobody takes it while the gateway is down.
const freePort = Effect.sync(() => randomInt(12_000, 32_000)).pipe(
  Effect.repeat({ until: isFree })
)

const Ready = Schema.parseJson(Schema.Struct({
  ready: Schema.Literal(true),
  url: Schema.String,
  rpc: Schema.String,
  agent: Schema.String,
  api_key: Schema.String,
  api: Schema.String,
  supervisor_token: Schema.String,
  page: Schema.String
}))

interface Run {
  readonly child: ChildProcess
  readonly pid: number
  readonly ready: typeof Ready.Type
  readonly ended: Effect.Effect<Ended>
}

const environment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("KRUXOS_")))

/** What a gateway process can be given. */
export interface ProcessOptions {
  /** Where to work; folders of its own unless given. */
  readonly folders?: { readonly workspace: string; readonly dataDirectory: string }
  /** That what needs approval waits for it; else agents may do everything. */
  readonly asksHumans?: true
  /** Further arguments of the command. */
  readonly args?: ReadonlyArray<string>
  /** The size of the JavaScript heap that the process may not exceed, in MiB. */
  readonly maximumHeapMebibytes?: number
}

/** Starts a gateway until the scope ends; unless told otherwise it lets its agents do everything. */
export const startProcess = (options: ProcessOptions = {}): Effect.Effect<GatewayProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const used = options.folders ?? (yield* folders)
    const port = yield* freePort
    let log = ""

    const start = Effect.gen(function*() {
      let stdout = ""
      const heap = options.maximumHeapMebibytes
      const child = spawn(process.execPath, [
        "--expose-gc",
        ...(heap === undefined ? [] : [`--max-old-space-size=${heap}`]),
        "--import",
        probe,
        inject("command"),
        "gateway",
        ...(options.asksHumans === true ? [] : ["--allow-all"]),
        "--workspace",
        used.workspace,
        "--data",
        used.dataDirectory,
        "--port",
        String(port),
        ...(options.args ?? [])
      ], { cwd: root, env: environment(), stdio: ["ignore", "pipe", "pipe", "ipc"] })
      const over = new Promise<Ended>((resolve) => {
        child.once("close", (code, signal) => resolve({ code, signal }))
      })
      child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
        stdout += chunk
      })
      child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
        log += chunk
      })
      const isOver = Effect.flatMap(
        Effect.promise(() => over),
        ({ code, signal }) => Effect.dieMessage(`The gateway ended (${code ?? signal}): ${log}`)
      )
      yield* Effect.raceFirst(
        until("the ready line", Effect.sync(() => stdout.includes("\n")), "30 seconds"),
        isOver
      ).pipe(Effect.onError(() => Effect.sync(() => child.kill("SIGKILL"))))
      const ready = yield* Effect.orDie(Schema.decodeUnknown(Ready)(stdout.split("\n")[0]))
      const run: Run = {
        child,
        pid: child.pid ?? 0,
        ready,
        ended: Effect.promise(() => over).pipe(within("the end of the gateway", "15 seconds"))
      }
      return run
    })

    const first = yield* start
    const current = yield* Effect.acquireRelease(
      Ref.make(first),
      (ref) =>
        Effect.flatMap(ref, ({ child, ended }) => Effect.zipRight(Effect.sync(() => child.kill("SIGKILL")), ended))
    )

    const signal: GatewayProcess["signal"] = (name) => Effect.map(current, ({ child }) => void child.kill(name))
    const ended = Effect.flatMap(current, (run) => run.ended)
    const { agent, api, api_key, page, rpc, supervisor_token, url } = first.ready
    const served = {
      apiKey: Redacted.make(api_key),
      supervisorToken: Redacted.make(supervisor_token),
      page: Redacted.make(page)
    }
    return {
      ...testGateway({ agent, api, port, rpc, url, ...served }, used),
      signal,
      ended,
      end: (name) => Effect.zipRight(signal(name), ended),
      startAgain: Effect.flatMap(start, (run) => Ref.set(current, run)),
      memory: Effect.flatMap(current, ({ child }) =>
        Effect.async<unknown>((resume) => {
          child.once("message", (message) => resume(Effect.succeed(message)))
          child.send("memory")
        })).pipe(Effect.flatMap(Schema.decodeUnknown(Memory)), Effect.orDie, within("the memory of the gateway")),
      residentBytes: Effect.map(current, ({ pid }) => {
        const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
        return Number(kibibytes) * 1024
      }),
      descriptors: Effect.map(current, ({ pid }) => fs.readdirSync(`/proc/${pid}/fd`).length),
      log: () => log
    }
  })

/** Connects this SDK to a gateway until the scope ends. */
export const clientOf = (
  { key, url }: TestGateway,
  options: Omit<GatewayOptions, "host" | "apiKey"> = {}
): Effect.Effect<Capabilities["Type"], never, Scope.Scope> =>
  NodeGateway.layer({ host: url, apiKey: Redacted.make(key), ...options }).pipe(
    Layer.build,
    Effect.map(Context.get(Capabilities)),
    Effect.orDie
  )

/** Watches a gateway until the scope ends; what it gives is the most memory that the process occupied so far, in bytes. */
export const peakResidentBytes = ({ residentBytes }: GatewayProcess): Effect.Effect<() => number, never, Scope.Scope> =>
  Effect.gen(function*() {
    let peak = 0
    const look = Effect.map(residentBytes, (bytes) => {
      peak = Math.max(peak, bytes)
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("5 millis")))
    return () => peak
  })
