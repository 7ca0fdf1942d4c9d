import type { ProcessorTime, Reading, Transfer, Transfers } from "./Machine.js"
import { percentOf, percentUsed } from "./percent.js"

/** What the machine did in a span of time. */
export interface Figures {
  /** Use of all processors together, in percent. */
  readonly processors: { readonly average: number; readonly peak: number }
  readonly memory: { readonly averageBytes: number; readonly peakBytes: number; readonly averagePercent: number }
  readonly disks: Transfer
  readonly networks: Transfer
}

/** Figures with their span, in milliseconds of a clock that never goes back. */
export interface Sample extends Figures {
  readonly from: number
  readonly to: number
}

/** A reading and when it was taken. */
export interface TimedReading extends Reading {
  readonly at: number
}

const nothing: Transfer = { incoming: 0, outgoing: 0 }

// A counter that went down was reset, so what it shows came since.
const growth = (before: number, now: number): number => now >= before ? now - before : now

const transferred = (before: Transfers | undefined, now: Transfers): Transfer => {
  if (before === undefined) return nothing
  let { incoming, outgoing } = nothing
  for (const [device, count] of now) {
    const previous = before.get(device) ?? nothing
    incoming += growth(previous.incoming, count.incoming)
    outgoing += growth(previous.outgoing, count.outgoing)
  }
  return { incoming, outgoing }
}

const spent = (before: ProcessorTime, now: ProcessorTime): ProcessorTime =>
  now.busy < before.busy
    ? now
    // Idle time alone goes back a little at times, as the kernel corrects itself: that is no reset.
    : { busy: now.busy - before.busy, idle: Math.max(now.idle - before.idle, 0) }

const load = (before: ProcessorTime | undefined, now: ProcessorTime): number => {
  const { busy, idle } = spent(before ?? { busy: 0, idle: 0 }, now)
  // The counters move every few milliseconds only; before they do, the load since the start is the best answer.
  return busy + idle > 0 ? percentOf(busy, busy + idle) : percentOf(now.busy, now.busy + now.idle)
}

/**
 * What happened between two readings. Without an earlier one the load is that since the system started, and nothing is
 * known to have been transferred.
 */
export const between = (before: TimedReading | undefined, now: TimedReading): Sample => {
  const processors = load(before?.processors, now.processors)
  const usedBytes = Math.max(now.memory.total - now.memory.available, 0)
  return {
    from: before?.at ?? now.at,
    to: now.at,
    processors: { average: processors, peak: processors },
    memory: { averageBytes: usedBytes, peakBytes: usedBytes, averagePercent: percentUsed(now.memory) },
    disks: transferred(before?.disks, now.disks),
    networks: transferred(before?.networks, now.networks)
  }
}

/**
 * The figures of several samples between two moments: averages are weighted with time, and of a sample that is only
 * partly in between, that part of the transfers counts. Undefined when no sample is.
 */
export const summarize = (samples: ReadonlyArray<Sample>, from: number, to: number): Figures | undefined => {
  const parts = samples.flatMap((sample) => {
    const time = Math.min(sample.to, to) - Math.max(sample.from, from)
    return time > 0 ? [{ sample, time, part: time / (sample.to - sample.from) }] : []
  })
  if (parts.length === 0) return undefined
  const total = (of: (part: typeof parts[number]) => number) => parts.reduce((sum, part) => sum + of(part), 0)
  const highest = (of: (sample: Sample) => number) => parts.reduce((most, { sample }) => Math.max(most, of(sample)), 0)
  const duration = total(({ time }) => time)
  const average = (of: (sample: Sample) => number) => total(({ sample, time }) => of(sample) * time) / duration
  const transfer = (of: (sample: Sample) => Transfer): Transfer => ({
    incoming: total(({ part, sample }) => of(sample).incoming * part),
    outgoing: total(({ part, sample }) => of(sample).outgoing * part)
  })
  return {
    processors: {
      average: average(({ processors }) => processors.average),
      peak: highest(({ processors }) => processors.peak)
    },
    memory: {
      averageBytes: average(({ memory }) => memory.averageBytes),
      peakBytes: highest(({ memory }) => memory.peakBytes),
      averagePercent: average(({ memory }) => memory.averagePercent)
    },
    disks: transfer(({ disks }) => disks),
    networks: transfer(({ networks }) => networks)
  }
}
