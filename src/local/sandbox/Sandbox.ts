import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What programs run in: a sandbox by bubblewrap, or none, with all that the gateway's own user may do. */
export type SandboxChoice = "bubblewrap" | "none"

/** How far something holds for the programs that agents run. */
export interface Enforcement {
  readonly enforced: boolean
  /** By what, or why not; in words. */
  readonly how: string
}

/** What the programs that agents run are held by on this machine. */
export interface SandboxFacts {
  /** `missing` where programs cannot be run at all. */
  readonly kind: SandboxChoice | "missing"
  /** Why programs cannot be run, and what to do about it; undefined where they can. */
  readonly problem: string | undefined
  readonly files: Enforcement
  readonly network: Enforcement
  readonly cpu: Enforcement
  readonly memory: Enforcement
  readonly processes: Enforcement
  /** That nothing runs on after its program, the session or the gateway has ended. */
  readonly ending: Enforcement
}

/** How much a program with all its children may take. */
export interface Limits {
  /** A fraction of a processor core, or more than one of them. */
  readonly cpu: number
  readonly memoryBytes: number
  readonly processes: number
  /** How long it may run at most, in seconds, where that is known. */
  readonly seconds: number | undefined
}

/** What programs may take unless told otherwise. */
export const defaultLimits: Limits = { cpu: 0.5, memoryBytes: 512 * 1024 * 1024, processes: 100, seconds: undefined }

/** A line for the shell, or one program with its arguments, which no shell reads. */
export type Program =
  | { readonly _tag: "Line"; readonly line: string }
  | { readonly _tag: "File"; readonly file: string; readonly args: ReadonlyArray<string> }

/** A program to start. */
export interface Launch {
  readonly program: Program
  /** The directory of the host that the program sees as `/workspace`, links resolved. */
  readonly workspace: string
  /** Below the workspace, name by name. */
  readonly workingDirectory: ReadonlyArray<string>
  /** Set besides the clean environment; protected variables have to be refused before (see `problemOfVariable`). */
  readonly environment: { readonly [name: string]: string }
  readonly limits: Limits
  /** Whether it may use the machine's network. Without a sandbox it can whatever this says. */
  readonly network: boolean
  /** Directories of the host, links resolved, that it sees and may change where they are on the host, too. */
  readonly shared?: ReadonlyArray<string> | undefined
  /** What it reads; nothing unless given. */
  readonly stdin?: string | undefined
  /** Takes what it writes, as it comes. Has to be quick, and to keep no more than it can bear. */
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void
}

/** What a program and its children have taken so far. */
export interface Usage {
  readonly cpuMillis: number
  readonly memoryPeakBytes: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** How a program ended. */
export interface Exit {
  /** As shells have it: 128 and the signal's number where a signal ended it. */
  readonly code: number
  /** The limit that it was stopped for, if it was. */
  readonly exceeded: "cpu" | "memory" | "processes" | undefined
  /** Whether the gateway sent SIGKILL to it before. */
  readonly isKilled: boolean
}

/** The signals that a program can be sent. */
export const signals = ["SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const

export type Signal = (typeof signals)[number]

/** A program that was started. */
export interface Launched {
  /** Waits for its end, and that of its output. */
  readonly exited: Effect.Effect<Exit>
  /** Sends a signal to it and all its children; SIGKILL leaves none of them. Whether there was anything to send it to. */
  readonly signal: (signal: Signal) => Effect.Effect<boolean>
  readonly usage: () => Usage
}

/**
 * A program could not be started. `no-sandbox`: there is none on this machine and nobody said that it may do without;
 * `not-found`, `not-executable`: the program itself; `failed`: the system or the sandbox does not let it.
 */
export class LaunchFailed extends Data.TaggedError("LaunchFailed")<{
  readonly reason: "no-sandbox" | "not-found" | "not-executable" | "failed"
  readonly message: string
  readonly cause?: unknown
}> {}

/** Where programs run that agents ask for. */
export class Sandbox extends Context.Tag("kruxos/local/Sandbox")<Sandbox, {
  /** What is enforced; found out once, when it is first asked for. */
  readonly facts: Effect.Effect<SandboxFacts>
  /** Starts a program. With the scope it ends, and all its children. */
  readonly launch: (launch: Launch) => Effect.Effect<Launched, LaunchFailed, Scope.Scope>
}>() {}
