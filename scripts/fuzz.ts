import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { randomInt } from "node:crypto"
import { parseArgs } from "node:util"
import { type Report, run } from "./fuzz/run.js"
import { targets } from "./fuzz/targets.js"
import { watch } from "./fuzz/watchdog.js"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    target: { type: "string" },
    first: { type: "string" }
  }
})

const numberOf = (name: string, text: string): number => {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name} takes a number, not ${text}`)
  return number
}

const seed = values.seed === undefined ? randomInt(2 ** 31) : numberOf("seed", values.seed)
const seconds = numberOf("seconds", values.seconds)
const chosen = targets.filter(({ name }) => values.target === undefined || values.target === name)
if (chosen.length === 0) throw new Error(`--target is one of ${targets.map(({ name }) => name).join(", ")}`)

const hangMillis = 2000

const print = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

const shown = (input: ReadonlyArray<string>, most: number) => {
  const text = JSON.stringify(input)
  return text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text
}

const lineOf = ({ find, grownBytes, iterations, millis, slowest, slowestMillis, target }: Report): string =>
  [
    `${target}: ${iterations} inputs, ${Math.round((iterations * 1000) / Math.max(1, millis))} per second, heap ${
      (grownBytes / 1024 / 1024).toFixed(1)
    } MiB larger; slowest ${slowestMillis} ms: ${shown(slowest, 300)}`,
    ...(find === undefined
      ? []
      : [
        `  input ${find.iteration} (--seed ${seed} --target ${find.target} --first ${find.iteration}): ${find.message}`,
        `  ${shown(find.input, 4000)}`
      ])
  ].join("\n")

const program = Effect.gen(function*() {
  yield* print(`seed ${seed}, ${seconds} s`)
  const reports = yield* run(chosen, {
    seed,
    iterations: Infinity,
    millis: (seconds * 1000) / chosen.length,
    hangMillis,
    first: values.first === undefined ? undefined : numberOf("first", values.first),
    watch: watch(chosen.map(({ name }) => name), 10 * hangMillis)
  })
  for (const report of reports) yield* print(lineOf(report))
  if (reports.some(({ find }) => find !== undefined)) process.exitCode = 1
})

NodeRuntime.runMain(program, { disablePrettyLogger: true })
