import * as Effect from "effect/Effect"

interface Output {
  readonly isTTY?: boolean | undefined
}

/** Where help goes: the process, as far as it matters. */
interface Terminal {
  readonly argv: ReadonlyArray<string>
  readonly env: { readonly [name: string]: string | undefined }
  readonly stderr: Output
  readonly stdout: Output
}

// Made from its code, because a pattern with a control character in it is taken for a mistake.
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g")

// The parser's title, and what it says of every option whatever its description says.
const boilerplate = new Set([
  "kruxos",
  "A user-defined piece of text.",
  "A user-defined piece of text that is confidential.",
  "A true or false value.",
  "An integer.",
  "This setting is optional."
])

// The parser leaves out the commands that a subcommand belongs to.
const usageOf = (usage: string, words: ReadonlyArray<string>): string => {
  const [name = ""] = usage.split(" ", 1)
  const parents = words.slice(0, Math.max(0, words.indexOf(name)))
  return ["$", ...(name === "kruxos" ? [] : ["kruxos"]), ...parents, usage].join(" ")
}

const layOutLine = (words: ReadonlyArray<string>) => (line: string): ReadonlyArray<string> => {
  const plain = line.replaceAll(colours, "")
  const text = plain.trim()
  if (text === "" || boilerplate.has(text)) return []
  if (/^[A-Z]+( [A-Z]+)*$/.test(plain)) return ["", line]
  const [, usage, description] = /^ +- (.+?) {2,}(\S.*)$/.exec(plain) ?? []
  if (usage !== undefined && description !== undefined) return [`  ${usage}`, `      ${description}`]
  return [plain.startsWith("$ ") ? usageOf(plain.slice(2), words) : line]
}

/**
 * The parser's help without its blank lines and its boilerplate. `words` are those of the command line, by which the usage
 * of a subcommand gets its whole name.
 */
export const layOut = (help: string, words: ReadonlyArray<string>): string =>
  help.split("\n").flatMap(layOutLine(words)).join("\n").trim()

/**
 * Lays out what the parser prints, without colours where it goes to a file or a pipe, or where `NO_COLOR` is set. Only the
 * parser prints by `Console.log`: results go by `print`.
 */
export const withHelpLaidOut =
  ({ argv, env, stderr, stdout }: Terminal) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.consoleWith((console) => {
      // A completion script is a program.
      if (argv.some((word) => word.startsWith("--completions"))) return self
      const through = ({ isTTY }: Output, write: (text: string) => void) => (...args: ReadonlyArray<unknown>) =>
        Effect.sync(() => {
          const text = layOut(args.map(String).join(" "), argv.slice(2))
          write(isTTY !== true || (env["NO_COLOR"] ?? "") !== "" ? text.replaceAll(colours, "") : text)
        })
      return Effect.withConsole(self, {
        ...console,
        log: through(stdout, (text) => console.unsafe.log(text)),
        error: through(stderr, (text) => console.unsafe.error(text))
      })
    })
