const flags = new Set(["--help", "-h", "--version", "--wizard"])

const withValue = ["--log-level", "--completions"]

/**
 * The arguments of the process with the parser's own options moved to directly behind the names of the command: the parser
 * does not know them behind a command's own options.
 */
export const hoistBuiltInOptions = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const given = argv.slice(2)
  const end = given.indexOf("--")
  const options = end === -1 ? given : given.slice(0, end)
  const firstOption = options.findIndex((word) => word.startsWith("-"))
  if (firstOption === -1) return argv
  const hoisted: Array<string> = []
  const others: Array<string> = []
  for (let index = firstOption; index < options.length; index++) {
    const word = options[index] ?? ""
    const next = options[index + 1]
    if (flags.has(word) || withValue.some((name) => word.startsWith(`${name}=`))) {
      hoisted.push(word)
    } else if (withValue.includes(word) && next !== undefined) {
      hoisted.push(word, next)
      index++
    } else {
      others.push(word)
    }
  }
  return [
    ...argv.slice(0, 2),
    ...options.slice(0, firstOption),
    ...hoisted,
    ...others,
    ...given.slice(options.length)
  ]
}
