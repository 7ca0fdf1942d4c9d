import { median } from "../measurement.js"

/** What can be measured of a client, and its unit. */
export const figures = {
  sequentialHalf: "µs",
  sequentialMost: "µs",
  throughput64: "calls/s",
  throughput1024: "calls/s",
  processor64: "µs",
  processor1024: "µs",
  connect: "ms",
  unbundled: "ms",
  bundled: "ms",
  memory: "MB",
  heap: "MB",
  peak: "MB",
  recovery: "ms",
  serverTime: "calls/s",
  serverRead: "calls/s",
  stateCalls: "calls/s",
  stateMost: "µs",
  writes: "ms",
  start: "ms",
  resident: "MB"
} as const

export type Figure = keyof typeof figures

/** Every value that was measured, by figure and by whose it is. Infinity stands for what never came. */
export class Samples {
  readonly #values = new Map<string, Array<number>>()

  add(figure: Figure, name: string, ...values: ReadonlyArray<number>): void {
    const key = `${figure} ${name}`
    const known = this.#values.get(key)
    if (known === undefined) this.#values.set(key, [...values])
    else known.push(...values)
  }

  of(figure: Figure, name: string): ReadonlyArray<number> {
    return this.#values.get(`${figure} ${name}`) ?? []
  }

  median(figure: Figure, name: string): number {
    return median(this.of(figure, name))
  }

  /** The median of what each round had, as a part of what the other had in the same round. */
  ratio(figure: Figure, name: string, base: string): number {
    const bases = this.of(figure, base)
    return median(this.of(figure, name).map((value, round) => value / (bases[round] ?? Number.NaN)))
  }

  toJSON() {
    return [...this.#values].map(([key, values]) => {
      const [figure = "", name] = key.split(" ")
      return { figure, name, values: values.map((value) => Number.isFinite(value) ? value : null) }
    })
  }
}
