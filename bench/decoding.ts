import * as Either from "effect/Either"
import { builtIn } from "../src/catalogue/builtIn.js"
import { codecOf } from "../src/services/codec.js"
import { median, rounded, type Section } from "./measurement.js"

const roundMillis = 100
const rounds = 15
const warmUpRounds = 5

const timestamp = (index: number) => `2026-11-${String(1 + index % 28).padStart(2, "0")}T09:30:00.000Z`

const hash = "9f2c1e7d0b4a8c6e5f3d2b1a09f8e7d6c5b4a392"

const repeated = <A>(times: number, make: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: times }, (_, index) => make(index))

const file = {
  content: "A line of a file that is neither long nor short.\n".repeat(20),
  size: 980,
  modified: timestamp(0),
  checksum: hash.padEnd(64, "0"),
  truncated: false,
  encoding: "utf-8"
}

const directory = {
  entries: repeated(100, (index) => ({
    name: `file-${index}.txt`,
    type: index % 10 === 0 ? "directory" : "file",
    size: index * 37,
    modified: timestamp(index)
  })),
  total: 100,
  path: "/workspace/project"
}

const history = {
  commits: repeated(50, (index) => ({
    hash,
    short_hash: hash.slice(0, 7),
    message: `Change number ${index}, with a line that says what it is about`,
    author_name: "Ada Lovelace",
    author_email: "ada@example.org",
    timestamp: timestamp(index)
  })),
  total_returned: 50,
  branch: "main"
}

const read = codecOf(builtIn, "filesystem.read")
const list = codecOf(builtIn, "filesystem.list")
const log = codecOf(builtIn, "git.log")

interface Call {
  readonly title: string
  readonly output: object
  /** Whether the input and the output had the form of the catalogue. */
  readonly run: () => boolean
}

const calls: ReadonlyArray<Call> = [
  {
    title: "filesystem.read, 1 kB of text",
    output: file,
    run: () =>
      read !== undefined && Either.isRight(read.encode({ path: "/workspace/notes.txt", limit: 4096 })) &&
      Either.isRight(read.decode(file))
  },
  {
    title: "filesystem.list, 100 entries",
    output: directory,
    run: () =>
      list !== undefined && Either.isRight(list.encode({ path: "/workspace/project", sort_by: "-modified" })) &&
      Either.isRight(list.decode(directory))
  },
  {
    title: "git.log, 50 commits",
    output: history,
    run: () =>
      log !== undefined && Either.isRight(log.encode({ path: "/workspace/project", limit: 50 })) &&
      Either.isRight(log.decode(history))
  }
]

const microsecondsPerCall = (call: () => unknown): number => {
  const start = performance.now()
  let [times, elapsed] = [0, 0]
  while (elapsed < roundMillis) {
    for (let index = 0; index < 20; index++) call()
    times += 20
    elapsed = performance.now() - start
  }
  return elapsed * 1000 / times
}

const measure = ({ output, run, title }: Call) => {
  if (!run()) throw new Error(`The codec refuses the values of ${title}`)
  const text = JSON.stringify(output)
  const pairs = repeated(warmUpRounds + rounds, () =>
    [
      microsecondsPerCall(run),
      microsecondsPerCall(() => JSON.parse(text))
    ] as const).slice(warmUpRounds)
  const [codec, json] = [median(pairs.map(([one]) => one)), median(pairs.map(([, other]) => other))]
  return [title, text.length, rounded(codec, 1), rounded(json, 1), rounded(codec / json, 1)]
}

/** What the codec of the catalogue costs an invocation, beside parsing the frame that brings its output. */
export const decoding = (): Section => ({
  title: "Encoding an input and decoding an output",
  columns: ["call", "output, bytes", "codec, µs", "JSON.parse of the output, µs", "ratio"],
  rows: calls.map(measure),
  notes: [
    `median of ${rounds} rounds of ${roundMillis} ms each, after ${warmUpRounds} to warm up; both by turns in one process`
  ]
})
