import { type Sample, summarize } from "./Sample.js"

const minute = 60_000
const keptInFull = 15 * minute
const kept = 24 * 60 * minute

/**
 * The samples of the last 24 hours: those of the last 15 minutes as they came, older ones merged to one a minute, so that
 * peaks and transfers stay exact and memory small. Both are ordered by time, and each sample begins where another ended.
 */
export interface History {
  readonly minutes: ReadonlyArray<Sample>
  readonly recent: ReadonlyArray<Sample>
}

export const empty: History = { minutes: [], recent: [] }

const minuteOf = ({ from }: Sample): number => Math.floor(from / minute)

const thin = (minutes: ReadonlyArray<Sample>, sample: Sample): ReadonlyArray<Sample> => {
  const last = minutes.at(-1)
  if (last === undefined || minuteOf(last) !== minuteOf(sample)) return [...minutes, sample]
  const merged = { ...sample, ...summarize([last, sample], last.from, sample.to), from: last.from, to: sample.to }
  return [...minutes.slice(0, -1), merged]
}

/** Adds a sample that is later than all others, and lets go of what is too old. */
export const add = ({ minutes, recent }: History, sample: Sample): History => {
  const aged = recent.filter(({ to }) => to <= sample.to - keptInFull)
  return {
    minutes: aged.reduce(thin, minutes).filter(({ to }) => to > sample.to - kept),
    recent: [...recent.slice(aged.length), sample]
  }
}

/** The figures between two moments; undefined when there are none. */
export const figures = ({ minutes, recent }: History, from: number, to: number) =>
  summarize([...minutes, ...recent], from, to)
