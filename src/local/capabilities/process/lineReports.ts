import { Buffer } from "node:buffer"
import { StringDecoder } from "node:string_decoder"
import type { ReportProgress } from "../../progress.js"
import type { Launch } from "../../sandbox/Sandbox.js"

/** How much of each stream is told line by line, in bytes, and how long a line may get. */
const mostBytes = 1024 * 1024
const longestLine = 8192

class Lines {
  readonly #decoder = new StringDecoder("utf8")
  readonly #tell: (line: string) => void
  #rest = ""
  #bytes = 0

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  readonly add = (bytes: Uint8Array): void => {
    const taken = bytes.subarray(0, Math.max(0, mostBytes - this.#bytes))
    if (taken.length === 0) return
    this.#bytes += taken.length
    const lines = (this.#rest + this.#decoder.write(Buffer.from(taken))).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) this.#tell(line)
    while (this.#rest.length >= longestLine) {
      this.#tell(this.#rest.slice(0, longestLine))
      this.#rest = this.#rest.slice(longestLine)
    }
  }

  readonly end = (): void => {
    if (this.#rest !== "") this.#tell(this.#rest)
    this.#rest = ""
  }
}

/** Tells the caller each line of output as it comes, of each stream the first MiB; `end` tells the last one that no newline ended. */
export const lineReports = (
  progress: ReportProgress
): { readonly onOutput: Launch["onOutput"]; readonly end: () => void } => {
  let told = 0
  const tell = (message: string) => progress({ progress: ++told, message })
  const streams = { stdout: new Lines(tell), stderr: new Lines(tell) }
  return {
    onOutput: (stream, bytes) => streams[stream].add(bytes),
    end: () => {
      streams.stdout.end()
      streams.stderr.end()
    }
  }
}
