import type { AnyReply, AnyStep } from "./AnyReply.js"

/** The steps of a reply, as far as they are used up. */
export interface Line {
  readonly steps: ReadonlyArray<AnyStep>
  /** How many invocations have been answered. */
  taken: number
  /** What was cut off before it was used: it is for whoever asks next, and nobody has to. */
  readonly returned: Array<AnyStep>
}

/** What an invocation is answered with. */
export interface Taken {
  readonly _tag: "Taken"
  readonly step: AnyStep
  /** Gives the answer back, which was not used, or only in part: `rest` is for whoever asks next. */
  readonly giveBack: (rest: AnyStep) => void
}

/** Begins with the first step of a reply. `repeats` says that a reply of which nobody has said how often it answers always does. */
export const make = ({ isCounted, steps }: AnyReply, { repeats }: { readonly repeats: boolean }): Line => ({
  steps: isCounted || !repeats ? steps : steps.map((step) => ({ ...step, times: Infinity })),
  taken: 0,
  returned: []
})

const countOf = ({ times }: AnyStep) => times > 0 ? times : 0

const current = ({ steps, taken }: Line): AnyStep | undefined => {
  let before = 0
  return steps.find((step) => {
    before += countOf(step)
    return taken < before
  })
}

/** Whether there is an answer for one more invocation. */
export const hasNext = (line: Line): boolean => line.returned.length > 0 || current(line) !== undefined

/** Takes what the next invocation is answered with; undefined where everything is used up. */
export const take = (line: Line): Taken | undefined => {
  const returned = line.returned.shift()
  const step = returned ?? current(line)
  if (step === undefined) return undefined
  if (returned === undefined) line.taken += 1
  return { _tag: "Taken", step, giveBack: (rest) => line.returned.push(rest) }
}

/** How many more invocations were to come; what answers any number of them asks for none. */
export const left = ({ steps, taken }: Line): number =>
  Math.max(0, steps.map(countOf).filter(Number.isFinite).reduce((sum, count) => sum + count, 0) - taken)

/** The same of what was expected: it has to come once at least, if any number will do. */
export const least = (line: Line): number => line.taken === 0 && most(line) === Infinity ? 1 : left(line)

/** How many invocations it answers at most. */
export const most = ({ steps }: Line): number => steps.map(countOf).reduce((sum, count) => sum + count, 0)
