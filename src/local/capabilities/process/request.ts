import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Buffer } from "node:buffer"
import { InvalidInput } from "../../../errors/general.js"
import { problemOfVariable } from "../../sandbox/environment.js"
import { defaultLimits, type Limits, type Program } from "../../sandbox/Sandbox.js"
import type { PathFailure, Workspace } from "../../workspace/Workspace.js"

// The kernel takes no longer one; and of all together no more than a quarter of a stack.
const longestArgument = 128 * 1024
const longestArguments = 1024 * 1024

// Less holds no program at all.
const leastMemoryBytes = 16 * 1024 * 1024

const invalid = (field: string, reason: string) =>
  new InvalidInput({ message: `${field} cannot be used: ${reason}`, field, reason })

const problemOfText = (text: string): string | undefined => {
  if (text.includes("\0")) return "it holds a NUL character"
  return Buffer.byteLength(text) >= longestArgument ? `it is longer than ${longestArgument} bytes` : undefined
}

/** What is to run: with arguments one program, else a line for the shell. */
export const programOf = (
  command: string,
  args: ReadonlyArray<string> | undefined
): Effect.Effect<Program, InvalidInput> =>
  Effect.gen(function*() {
    const problem = command.trim() === "" ? "it is empty" : problemOfText(command)
    if (problem !== undefined) return yield* invalid("command", problem)
    if (args === undefined) return { _tag: "Line", line: command }
    const wrong = args.map(problemOfText).find((found) => found !== undefined)
    if (wrong !== undefined) return yield* invalid("args", wrong)
    const bytes = args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 9, 0)
    if (bytes > longestArguments) return yield* invalid("args", `they are longer than ${longestArguments} bytes`)
    return { _tag: "File", file: command, args }
  })

/** The variables that are set besides those that every program has. */
export const environmentOf = (
  given: { readonly [name: string]: string } | undefined
): Effect.Effect<{ readonly [name: string]: string }, InvalidInput> => {
  const entries = Object.entries(given ?? {})
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  if (bytes > longestArguments) {
    return Effect.fail(invalid("environment", `it is longer than ${longestArguments} bytes`))
  }
  for (const [name, value] of entries) {
    const problem = problemOfVariable(name, value)
    // Values may be secrets.
    if (problem !== undefined) {
      return Effect.fail(invalid("environment", `${JSON.stringify(name.slice(0, 100))}: ${problem}`))
    }
  }
  return Effect.succeed(Object.fromEntries(entries))
}

/** How much it may take. */
export const limitsOf = (
  { cpu, memory, seconds }: {
    readonly cpu: number | undefined
    readonly memory: number | undefined
    readonly seconds: number | undefined
  }
): Effect.Effect<Limits, InvalidInput> =>
  memory !== undefined && memory < leastMemoryBytes
    ? Effect.fail(invalid("memory_limit", `no program runs with less than ${leastMemoryBytes} bytes`))
    : Effect.succeed({
      ...defaultLimits,
      cpu: cpu ?? defaultLimits.cpu,
      memoryBytes: memory ?? defaultLimits.memoryBytes,
      seconds
    })

/** The directory to run in, name by name and without links. */
export const directoryOf = (
  workspace: Workspace,
  path: string | undefined
): Effect.Effect<ReadonlyArray<string>, PathFailure> =>
  Effect.gen(function*() {
    if (path === undefined) return []
    const place = yield* workspace.kept.placeOf(yield* workspace.resolve(path), { last: "followed" })
    const status = place.segments.length === 0 ? undefined : Option.getOrUndefined(yield* workspace.status(place))
    if (place.segments.length > 0 && status?.type !== "directory") {
      return yield* invalid("working_directory", status === undefined ? "nothing is there" : "it is not a directory")
    }
    return place.segments
  }).pipe(Effect.mapError((error) =>
    error._tag === "InvalidInput" && error.field === "path"
      ? new InvalidInput({ ...error, field: "working_directory" })
      : error
  ))
