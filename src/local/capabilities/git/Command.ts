import { Buffer } from "node:buffer"
import { ResourceExhausted, ServiceUnavailable } from "../../../errors/general.js"
import { codeOf } from "../../workspace/systemFailure.js"
import type { Limits } from "./GitLimits.js"
import { environment, type Protocols, settings } from "./settings.js"

/** A command of git. */
export interface Command {
  /** From the name of the command on, after all settings. */
  readonly args: ReadonlyArray<string>
  /** An empty directory for the command alone: its home and where it puts temporary files. */
  readonly home: string
  readonly directory: string
  /** The root of the workspace on the host: besides it a command in a sandbox sees its home alone. */
  readonly workspace: string
  /** Directories of the gateway's that it has to see, too. */
  readonly also?: ReadonlyArray<string> | undefined
  /** Settings besides those that always hold. */
  readonly configuration?: ReadonlyArray<readonly [string, string]> | undefined
  readonly environment?: { readonly [name: string]: string } | undefined
  readonly stdin?: string | undefined
  readonly protocols?: Protocols | undefined
}

/** What became of a command. */
export interface Ended {
  /** 128 and the signal's number where a signal ended it. */
  readonly code: number
  readonly stdout: string
  /** At most the last 64 KiB. */
  readonly stderr: string
}

/** What any command can fail with, besides its exit code. */
export type CommandFailure = ResourceExhausted | ServiceUnavailable

// The unit of POSIX.
const blockBytes = 512

/**
 * What a shell does to run git: it sets limits, and reads nothing but its arguments, which are never a part of the script. `last` is what
 * it does with git in the end.
 */
export const scriptOf = (last: string): string =>
  `ulimit -c 0; ulimit -d "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; shift 2; ${last}`

/** The arguments of such a script, and of git. */
export const argumentsOf = (
  { args, configuration = [] }: Command,
  { fileBytes, memoryBytes }: Limits
): ReadonlyArray<string> => [
  "git",
  String(Math.ceil(memoryBytes / 1024)),
  String(Math.ceil(fileBytes / blockBytes)),
  ...settings,
  ...configuration.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ...args
]

/** The whole environment of a command. */
export const environmentOf = (
  { environment: more, home, protocols = "none" }: Command
): { readonly [name: string]: string } => ({ ...environment(home, protocols), ...more })

/** Why git could not be started. */
export const notThere = (cause: unknown): CommandFailure =>
  codeOf(cause) === "EAGAIN" || codeOf(cause) === "EMFILE" || codeOf(cause) === "ENOMEM"
    ? new ResourceExhausted({
      message: "The machine has no room for another process",
      resource: "processes",
      retryable: true
    })
    : new ServiceUnavailable({
      message: "git cannot be run on the gateway's machine",
      service: "git",
      reason: "install git 2.37 or later where the gateway runs",
      retryable: false,
      cause
    })

const tooMuch = (limit: number) =>
  new ResourceExhausted({ message: `git has more to say than ${limit} bytes`, resource: "git output", limit })

const mostComplaint = 64 * 1024

/** Keeps what git writes, as far as it may be kept. */
export class Written {
  readonly #limit: number
  readonly #exceeded: (failure: ResourceExhausted) => void
  #stdout: Array<Uint8Array> = []
  #bytes = 0
  #complaint = Buffer.alloc(0)

  constructor({ outputBytes }: Limits, exceeded: (failure: ResourceExhausted) => void) {
    this.#limit = outputBytes
    this.#exceeded = exceeded
  }

  readonly take = (stream: "stdout" | "stderr", bytes: Uint8Array): void => {
    if (stream === "stderr") {
      this.#complaint = Buffer.concat([this.#complaint, bytes]).subarray(-mostComplaint)
      return
    }
    this.#bytes += bytes.length
    if (this.#bytes <= this.#limit) {
      this.#stdout.push(bytes)
    } else {
      this.#stdout = []
      this.#exceeded(tooMuch(this.#limit))
    }
  }

  readonly ended = (code: number): Ended => ({
    code,
    stdout: Buffer.concat(this.#stdout).toString("utf8"),
    stderr: this.#complaint.toString("utf8")
  })
}
