import type { Ended } from "./Command.js"

const longest = 1000

/** What git has to say about a failure: without paths of the host, control characters and hints. */
export const said = (
  { code, stderr, stdout }: Ended,
  root: string,
  others: ReadonlyArray<string> = []
): string => {
  const own = others.reduce((text, path) => text.replaceAll(path, "git"), stderr.trim() === "" ? stdout : stderr)
  const text = own
    .replaceAll(root, "/workspace")
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "" && !line.startsWith("hint:") && !line.startsWith("Cloning into"))
    .join("; ")
    .replaceAll(/\p{Cc}/gu, " ")
    .trim()
  return text === "" ? `git ended with ${code}` : text.slice(-longest)
}
