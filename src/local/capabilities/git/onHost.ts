import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Buffer } from "node:buffer"
import { type ChildProcess, spawn } from "node:child_process"
import type { ResourceExhausted } from "../../../errors/general.js"
import { atMost } from "../../sandbox/atMost.js"
import {
  argumentsOf,
  type Command,
  type CommandFailure,
  type Ended,
  environmentOf,
  notThere,
  scriptOf,
  Written
} from "./Command.js"
import type { Limits } from "./GitLimits.js"

// A shell sets the limits and becomes git.
const script = scriptOf(`exec git "$@"`)

interface Running {
  readonly child: ChildProcess
  isOver: boolean
}

const signal = ({ child, isOver }: Running, name: "SIGTERM" | "SIGKILL"): void => {
  if (child.pid === undefined) return
  try {
    // The whole group: git's helpers, too. Helpers may outlive git itself.
    if (!isOver || name === "SIGKILL") process.kill(-child.pid, name)
  } catch {
    // It has ended by itself.
  }
}

const closed = (running: Running): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (running.isOver) return resume(Effect.void)
    running.child.once("close", () => resume(Effect.void))
  })

// Told to end, git removes its lock files.
const stop = (running: Running, grace: Duration.DurationInput): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (running.isOver) return Effect.void
    signal(running, "SIGTERM")
    return atMost(closed(running), grace).pipe(
      Effect.zipRight(Effect.sync(() => signal(running, "SIGKILL"))),
      Effect.zipRight(atMost(closed(running), "10 seconds"))
    )
  })

const start = (command: Command, limits: Limits): Effect.Effect<Running, CommandFailure> =>
  Effect.async<Running, CommandFailure>((resume) => {
    const child = spawn("/bin/sh", ["-c", script, ...argumentsOf(command, limits)], {
      cwd: command.directory,
      env: { ...environmentOf(command) },
      detached: true,
      stdio: [command.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"]
    })
    const running: Running = { child, isOver: false }
    child.once("close", () => (running.isOver = true))
    child.once("error", (cause) => resume(Effect.fail(notThere(cause))))
    child.once("spawn", () => {
      child.stdin?.on("error", () => undefined).end(command.stdin)
      resume(Effect.succeed(running))
    })
  })

const signalNumber = (name: NodeJS.Signals | null): number => name === "SIGTERM" ? 15 : name === "SIGXFSZ" ? 25 : 9

const read = ({ child }: Running, limits: Limits): Effect.Effect<Ended, ResourceExhausted> =>
  Effect.async<Ended, ResourceExhausted>((resume) => {
    const written = new Written(limits, (failure) => resume(Effect.fail(failure)))
    child.stdout?.on("data", (bytes: Buffer) => written.take("stdout", bytes))
    child.stderr?.on("data", (bytes: Buffer) => written.take("stderr", bytes))
    child.once("close", (code, ended) => resume(Effect.succeed(written.ended(code ?? 128 + signalNumber(ended)))))
  })

/** Runs a command as a program of the host, with all that the gateway's user may do. */
export const runOnHost = (command: Command, limits: Limits): Effect.Effect<Ended, CommandFailure> =>
  Effect.acquireUseRelease(
    start(command, limits),
    (running) => read(running, limits),
    (running) => stop(running, limits.grace)
  )
