import type { RateLimit } from "./Layer.js"

/** How often agents have invoked what a rate limit is on, in the memory of this gateway: a restart begins anew. */
export interface Counters {
  /** When, in milliseconds since 1970, the agent may invoke again; undefined where the limit has never been reached. */
  readonly fullUntil: (agent: string, limit: RateLimit) => number | undefined
  readonly count: (agent: string, limit: RateLimit, now: number) => void
  /** Of how many agents and limits there is something to remember. */
  readonly size: () => number
}

interface Counted {
  /** The times of the last invocations; those before `start` are of no more interest. */
  times: Array<number>
  start: number
  until: number
}

const mostIdle = 10_000

const nameOf = (agent: string, { rule }: RateLimit) => `${agent}\n${rule}`

/** Counters at zero. Each holds as many times as its limit counts, and is forgotten when they are all too old to matter. */
export const make = (): Counters => {
  const counted = new Map<string, Counted>()
  let sweepAbove = mostIdle

  const sweep = (now: number) => {
    for (const [name, { until }] of counted) if (until <= now) counted.delete(name)
    sweepAbove = Math.max(mostIdle, 2 * counted.size)
  }

  const begin = (name: string, now: number): Counted => {
    if (counted.size >= sweepAbove) sweep(now)
    const made = { times: [], start: 0, until: 0 }
    counted.set(name, made)
    return made
  }

  return {
    size: () => counted.size,
    fullUntil: (agent, limit) => {
      const known = counted.get(nameOf(agent, limit))
      if (known === undefined || known.times.length - known.start < limit.max) return undefined
      const oldest = known.times[known.times.length - limit.max]
      return oldest === undefined ? undefined : oldest + limit.windowSeconds * 1000
    },
    count: (agent, limit, now) => {
      const name = nameOf(agent, limit)
      const known = counted.get(name) ?? begin(name, now)
      // In order also after the clock was set back.
      const last = known.times.at(-1) ?? now
      known.times.push(Math.max(last, now))
      known.until = Math.max(known.until, now + limit.windowSeconds * 1000)
      known.start = Math.max(known.start, known.times.length - limit.max)
      if (known.start > 64 && known.start > known.times.length / 2) {
        known.times = known.times.slice(known.start)
        known.start = 0
      }
    }
  }
}
