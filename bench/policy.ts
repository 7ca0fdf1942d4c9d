import * as Either from "effect/Either"
import { builtIn } from "../src/catalogue/builtIn.js"
import * as Capability from "../src/catalogue/Capability.js"
import { decide } from "../src/local/policy/decide.js"
import { parsePolicy } from "../src/local/policy/parse.js"
import { join, type Policies } from "../src/local/policy/Policies.js"
import * as RateCounters from "../src/local/policy/RateCounters.js"
import { markdownOf, median, rounded, type Section } from "./measurement.js"

const samples = 20_000
const batch = 25
const rounds = 9

const names = Object.keys(builtIn)

const entryOf = (index: number, name = ""): object =>
  index % 3 === 0 && name !== "filesystem.write"
    ? { tier: "notify" }
    : {
      tier: "approval_required",
      rules: [
        { condition: { content_size_lt: 1024 }, tier: "autonomous" },
        { condition: { path_prefix: `/workspace/folder-${index}` }, tier: "notify" }
      ]
    }

/** A policy with so many entries: all capabilities of the catalogue, and as many others as it takes. */
const documentOf = (entries: number) => {
  const made = names.map((name, index) => [name, entryOf(index, name)] as const)
  const others = Array.from(
    { length: Math.max(0, entries - names.length - 20) },
    (_, index) => [`pack_${index % 40}.capability_${index}`, entryOf(index)] as const
  )
  const categories = Array.from({ length: 20 }, (_, index) => [`category_${index}.*`, { tier: "notify" }] as const)
  return { capabilities: Object.fromEntries([...made, ...others, ...categories].slice(0, entries)) }
}

const layerOf = (document: object, layer: "system" | "organization" | "agent") =>
  Either.getOrThrowWith(parsePolicy(JSON.stringify(document), "policy.yaml", { layer }), (error) => error)

const policiesOf = (entries: number): Policies =>
  join({
    system: layerOf(documentOf(entries), "system"),
    organization: layerOf({ ...documentOf(entries), defaults: { tier: "notify" } }, "organization"),
    agents: new Map([["agent", layerOf(documentOf(entries), "agent")]])
  })

const capabilities = Object.values(builtIn)

const pack = Capability.make("pack_1.capability_1", { tier: "notify", tags: [], inputs: {}, outputs: {}, errors: {} })

const input = { path: "/workspace/folder-7/notes.txt", content: "a line of text\n".repeat(10) }

const percentile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** What a call takes, in nanoseconds: the middle one and the slowest of a hundred, each over a batch; what is called is varied. */
const measure = (call: (index: number) => unknown): readonly [p50: number, p99: number] => {
  let kept: unknown
  for (let index = 0; index < samples; index++) kept = call(index)
  const times: Array<number> = []
  for (let sample = 0; sample < samples / 10; sample++) {
    const start = process.hrtime.bigint()
    for (let index = 0; index < batch; index++) kept = call(sample * batch + index)
    times.push(Number(process.hrtime.bigint() - start) / batch)
  }
  if (kept === undefined) throw new Error("nothing was measured")
  times.sort((one, other) => one - other)
  return [percentile(times, 0.5), percentile(times, 0.99)]
}

const decider = (policies: Policies, of: ReadonlyArray<Capability.AnyCapability>) => {
  const counters = RateCounters.make()
  return (index: number) => {
    const capability = of[index % of.length] ?? pack
    return decide(policies, { agent: "agent", capability, input, now: 0 }, counters)
  }
}

const cases = (): ReadonlyArray<readonly [title: string, call: (index: number) => unknown]> => {
  const many = policiesOf(1000)
  const writing = capabilities.filter(({ name }) => name === "filesystem.write")
  const plain = capabilities.filter((capability) => many.of("agent", capability).settled !== undefined)
  const map = new Map<string, Capability.AnyCapability>(capabilities.map((capability) => [capability.name, capability]))
  const lookUp = (index: number) => map.get(names[index % names.length] ?? "")
  return [
    ["a look-up in a Map of 94 names", lookUp],
    ["3 layers of 1,000 entries: a tier", decider(many, plain)],
    ["3 layers of 1,000 entries: two conditions in each layer", decider(many, writing)],
    ["3 layers of 120 entries: two conditions in each layer", decider(policiesOf(120), writing)]
  ]
}

const measured = (): Section => {
  const all = cases()
  // By turns, so that the other work of a busy machine hits all alike.
  const byRound = Array.from({ length: rounds }, () => all.map(([, call]) => measure(call)))
  const rows = all.map(([title], index) => {
    const own = byRound.map((round) => round[index] ?? [Number.NaN, Number.NaN] as const)
    const ratios = byRound.map((round) => (round[index]?.[0] ?? Number.NaN) / (round[0]?.[0] ?? Number.NaN))
    return [
      title,
      rounded(median(own.map(([p50]) => p50)), 0),
      rounded(median(own.map(([, p99]) => p99)), 0),
      rounded(median(ratios), 1)
    ]
  })
  return {
    title: "Deciding by a policy",
    columns: ["decision", "p50, ns", "p99, ns", "ratio of p50 to the look-up"],
    rows,
    notes: [
      `median of ${rounds} rounds of ${
        samples / 10
      } batches of ${batch} calls, by turns in one process; percentiles are of batches`
    ]
  }
}

const loading = (): Section => {
  const document = documentOf(1000)
  const text = JSON.stringify(document)
  const conditions = Object.values(document.capabilities).filter((entry) => "rules" in entry).length * 2
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now()
    parsePolicy(text, "policy.yaml", { layer: "organization" })
    return performance.now() - start
  }).slice(5)
  return {
    title: "Reading a policy",
    columns: ["file", "bytes", "ms"],
    rows: [[`1,000 entries, ${conditions} rules with a condition`, text.length, rounded(median(times), 1)]],
    notes: ["median of 10 after 5 to warm up; the gateway reads a file when it changes"]
  }
}

const sections = [measured(), loading()]

process.stdout.write(
  process.argv.includes("--json")
    ? `${JSON.stringify({ node: process.version, sections }, null, 2)}\n`
    : `${sections.map(markdownOf).join("\n\n")}\n`
)
