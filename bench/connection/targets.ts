import { rounded, type Section } from "../measurement.js"
import type { Figure, Samples } from "./Samples.js"

/** A target, and what came of it. */
export interface Target {
  readonly title: string
  readonly value: number
  readonly atMost?: number
  readonly atLeast?: number
}

const ours = "kruxos"

const official = "officialMcp"

const lessIsBetter: ReadonlyArray<readonly [Figure, string]> = [
  ["sequentialHalf", "one at a time, p50"],
  ["sequentialMost", "one at a time, p99"],
  ["connect", "connect + first call"],
  ["unbundled", "cold start"],
  ["bundled", "cold start, bundled"],
  ["memory", "memory"],
  ["recovery", "recovery"]
]

const moreIsBetter: ReadonlyArray<readonly [Figure, string]> = [
  ["throughput64", "64 in flight"],
  ["throughput1024", "1,024 in flight"]
]

const ofOfficial = (title: string) => `${title}, of the official MCP client`

const median = (samples: Samples, figure: Figure) => samples.median(figure, ours) / samples.median(figure, official)

/** What is aimed at, with what was measured. */
export const targetsOf = (samples: Samples): ReadonlyArray<Target> => [
  { title: "one at a time, p50, of bare", value: samples.ratio("sequentialHalf", ours, "raw"), atMost: 1.1 },
  { title: "64 in flight, of bare", value: samples.ratio("throughput64", ours, "raw"), atLeast: 0.85 },
  { title: "1,024 in flight, of bare", value: samples.ratio("throughput1024", ours, "raw"), atLeast: 0.6 },
  { title: "memory with 10,000 in flight, MB more", value: samples.median("memory", ours), atMost: 110 },
  { title: "cold start, bundled, of bare", value: samples.ratio("bundled", ours, "raw"), atMost: 1.5 },
  ...lessIsBetter.map(([figure, title]) => ({
    title: ofOfficial(title),
    value: median(samples, figure),
    atMost: 1
  })),
  ...moreIsBetter.map(([figure, title]) => ({
    title: ofOfficial(title),
    value: samples.ratio(figure, ours, official),
    atLeast: 1
  })),
  {
    title: "local gateway, system.time, of the official Server",
    value: samples.ratio("serverTime", "gatewayTools", "officialServer"),
    atLeast: 2
  },
  {
    title: "local gateway, filesystem.read of 1 kB, of the official Server",
    value: samples.ratio("serverRead", "gatewayTools", "officialServer"),
    atLeast: 2
  }
]

/** Whether it is reached. */
export const isMet = ({ atLeast = -Infinity, atMost = Infinity, value }: Target): boolean =>
  value >= atLeast && value <= atMost

/** The targets as a table. */
export const sectionOf = (targets: ReadonlyArray<Target>): Section => ({
  title: "Targets",
  columns: ["target", "measured", "aimed at", ""],
  rows: targets.map((target) => [
    target.title,
    rounded(target.value, target.value >= 10 ? 0 : 2),
    target.atMost === undefined ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`,
    isMet(target) ? "reached" : "**missed**"
  ]),
  notes: []
})
