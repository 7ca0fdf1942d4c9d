import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { Socket } from "node:net"
import { setPriority } from "node:os"
import { descriptors } from "./bubblewrap.js"
import { inheritedDescriptors } from "./inheritedDescriptors.js"
import { readReport, type Report, reportDescriptor } from "./launcher.js"
import type { Launch } from "./Sandbox.js"

/** A command of the host to spawn. */
export interface Command {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string | undefined
  readonly environment: { readonly [name: string]: string }
  /** What it reads from descriptors of its own. */
  readonly inputs: ReadonlyMap<number, string>
  /** Whether something in the kernel holds the number of its children. */
  readonly isCounted: boolean
}

/** A process of the host that the launcher runs in. */
export interface Spawned {
  readonly pid: number
  /** The first process inside the sandbox, as the host numbers it; undefined where there is none, or not yet. */
  readonly insidePid: () => number | undefined
  readonly report: () => Report
  /** What was written to standard error before the program began, by the sandbox then. */
  readonly complaint: () => string
  /** Waits until the launcher has reported, or everything has ended. */
  readonly begun: Effect.Effect<void>
  /** Waits until the process has ended, and gives its exit code. */
  readonly ended: Effect.Effect<number>
  /** Waits until nobody can write any more. */
  readonly closed: Effect.Effect<void>
  /** Reads no further. */
  readonly abandon: () => void
}

const longestReport = 16_384

const signalNumbers: { readonly [name: string]: number } = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
  SIGXCPU: 24
}

/** The exit code that shells give for a signal. */
export const codeOfSignal = (signal: string): number => 128 + (signalNumbers[signal] ?? 0)

// Where nothing in the kernel holds the number of processes, what looks at them has to get its turn among any number of them.
const giveWay = (pid: number, isCounted: boolean): void => {
  try {
    setPriority(pid, isCounted ? 5 : 19)
  } catch {
    // It has ended already.
  }
}

/** A moment that comes once. */
class Moment<A> {
  #value: { readonly it: A } | undefined
  readonly #waiting = new Set<(value: A) => void>()

  readonly come = (value: A): void => {
    if (this.#value !== undefined) return
    this.#value = { it: value }
    for (const resume of this.#waiting) resume(value)
    this.#waiting.clear()
  }

  readonly wait: Effect.Effect<A> = Effect.async<A>((resume) => {
    if (this.#value !== undefined) return resume(Effect.succeed(this.#value.it))
    const listener = (value: A) => resume(Effect.succeed(value))
    this.#waiting.add(listener)
    return Effect.sync(() => void this.#waiting.delete(listener))
  })
}

const socketOf = (child: ChildProcess, descriptor: number): Socket | undefined => {
  const streams: ReadonlyArray<unknown> = child.stdio
  const stream = streams[descriptor]
  return stream instanceof Socket ? stream : undefined
}

const collect = (socket: Socket | undefined, changed: (text: string) => void) => {
  let text = ""
  socket?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(0, longestReport)
    changed(text)
  })
}

const observe = (child: ChildProcess, pid: number, onOutput: Launch["onOutput"]): Spawned => {
  const begun = new Moment<void>()
  const ended = new Moment<number>()
  const closed = new Moment<void>()
  let report = readReport("")
  let insidePid: number | undefined
  let held: Array<readonly ["stdout" | "stderr", Buffer]> = []
  let heldBytes = 0

  const status = socketOf(child, descriptors.status)
  // Without the number a signal would reach nobody.
  const isBegun = () => report.begun === "started" && (status === undefined || insidePid !== undefined)
  const begin = () => {
    const waiting = held
    held = []
    for (const [stream, bytes] of waiting) onOutput(stream, bytes)
    begun.come()
  }
  collect(socketOf(child, reportDescriptor), (text) => {
    report = readReport(text)
    if (isBegun()) begin()
    else if (report.begun !== undefined && report.begun !== "started") begun.come()
  })
  collect(status, (text) => {
    const found = /"child-pid"\s*:\s*(\d+)/.exec(text)?.[1]
    if (insidePid === undefined && found !== undefined) insidePid = Number(found)
    if (isBegun()) begin()
  })
  // What the sandbox itself has to say is nothing of the program's.
  const take = (stream: "stdout" | "stderr") => (bytes: Buffer) => {
    if (isBegun()) return onOutput(stream, bytes)
    heldBytes += bytes.length
    if (heldBytes <= 1024 * 1024) held.push([stream, bytes])
  }
  child.stdout?.on("data", take("stdout"))
  child.stderr?.on("data", take("stderr"))
  child.once("exit", (code, signal) => ended.come(code ?? codeOfSignal(signal ?? "")))
  child.once("close", () => {
    begun.come()
    closed.come()
  })
  return {
    pid,
    insidePid: () => insidePid,
    report: () => report,
    complaint: () => Buffer.concat(held.map(([, bytes]) => bytes)).toString("utf8"),
    begun: begun.wait,
    ended: ended.wait,
    closed: closed.wait,
    abandon: () => {
      const streams: ReadonlyArray<unknown> = child.stdio
      for (const stream of streams) if (stream instanceof Socket) stream.destroy()
    }
  }
}

const ignore = () => undefined

const give = (child: ChildProcess, descriptor: number, text: string) =>
  // Whoever should read it may be gone; then its end says enough.
  socketOf(child, descriptor)?.on("error", ignore).end(text)

// With descriptors to read from goes the one that bubblewrap tells its state on. Where something is inherited, nothing takes its place.
const descriptorsOf = (
  stdin: "ignore" | "pipe",
  inputs: ReadonlyMap<number, string>,
  nothing: number
): Array<"ignore" | "pipe" | number> => {
  const all: Array<"ignore" | "pipe" | number> = [stdin, "pipe", "pipe"]
  const pipes = [reportDescriptor, ...inputs.size === 0 ? [] : Object.values(descriptors)]
  const inherited = inheritedDescriptors()
  for (let descriptor = 3; descriptor <= Math.max(...pipes, ...inherited); descriptor++) {
    all.push(pipes.includes(descriptor) ? "pipe" : inherited.includes(descriptor) ? nothing : "ignore")
  }
  return all
}

/** Spawns a command as the leader of a group of its own; fails with what the system says. */
export const spawnChild = (
  { args, cwd, environment, file, inputs, isCounted }: Command,
  { onOutput, stdin }: Pick<Launch, "onOutput" | "stdin">
): Effect.Effect<Spawned, unknown> =>
  Effect.async<Spawned, unknown>((resume) => {
    let nothing: number | undefined
    try {
      nothing = fs.openSync("/dev/null", "r+")
      const child = spawn(file, args, {
        cwd,
        env: { ...environment },
        detached: true,
        stdio: descriptorsOf(stdin === undefined ? "ignore" : "pipe", inputs, nothing)
      })
      child.once("error", (cause) => resume(Effect.fail(cause)))
      const { pid } = child
      if (pid === undefined) return
      child.on("error", ignore)
      giveWay(pid, isCounted)
      const spawned = observe(child, pid, onOutput)
      for (const [descriptor, text] of inputs) give(child, descriptor, text)
      if (stdin !== undefined) child.stdin?.on("error", ignore).end(stdin)
      resume(Effect.succeed(spawned))
    } catch (cause) {
      resume(Effect.fail(cause))
    } finally {
      if (nothing !== undefined) fs.closeSync(nothing)
    }
  })
