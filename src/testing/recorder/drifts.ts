import { CassetteMismatch, type Drift } from "./CassetteErrors.js"
import { describe, describeWhole, difference, differences, type Question } from "./comparison.js"
import type { Recorded } from "./timeline.js"

const questionOf = ({ exchange: { params, request } }: Recorded) => ({ method: request, params })

/** Whether a recorded request asks the same. */
export const isSame = (recorded: Recorded, question: Question): boolean =>
  recorded.exchange.request === question.method && differences(recorded.exchange.params, question.params).length === 0

/** What of the recorded requests is most like the question: the same thing, and with the fewest differences. */
const nearest = (recorded: ReadonlyArray<Recorded>, question: Question): string | undefined => {
  const alike = recorded.filter((one) =>
    one.exchange.request === question.method && describe(questionOf(one)) === describe(question)
  )
  const left = alike.filter(({ isAsked }) => !isAsked)
  const counted = (left.length > 0 ? left : alike).map((one) => ({
    one,
    count: differences(one.exchange.params, question.params).length
  }))
  const best = counted.sort((one, other) => one.count - other.count)[0]
  if (best === undefined) return undefined
  return best.count === 0
    ? `It was recorded ${
      alike.filter((one) => isSame(one, question)).length
    } times, and has been asked as often before.`
    : `Recorded as step ${best.one.exchange.step}, with other params:\n${
      difference(best.one.exchange.params, question.params)
    }`
}

export const notRecorded = (recorded: ReadonlyArray<Recorded>, question: Question): Drift => ({
  _tag: "NotRecorded",
  method: question.method,
  params: question.params,
  nearest: nearest(recorded, question)
})

const notAsked = (recorded: ReadonlyArray<Recorded>): ReadonlyArray<Drift> =>
  recorded.flatMap((one): ReadonlyArray<Drift> =>
    one.isAsked || one.isPoll
      ? []
      : [{
        _tag: "NotAsked",
        method: one.exchange.request,
        params: one.exchange.params,
        step: one.exchange.step
      }]
  )

const indented = (text: string) => text.split("\n").map((line) => `  ${line}`).join("\n")

export const describeDrift = (drift: Drift): string =>
  drift._tag === "NotAsked"
    ? `Recorded as step ${drift.step}, and not asked: ${describeWhole(drift)}`
    : `Asked, and not recorded: ${describeWhole(drift)}${
      drift.nearest === undefined ? "" : `\n${indented(drift.nearest)}`
    }`

/** What does not go as it was recorded; undefined where everything does. */
export const mismatchOf = (
  file: string,
  found: ReadonlyArray<Drift>,
  recorded: ReadonlyArray<Recorded>
): CassetteMismatch | undefined => {
  const drifts = [...found, ...notAsked(recorded)]
  return drifts.length === 0
    ? undefined
    : new CassetteMismatch({
      file,
      drifts,
      message: `The program does not do what was recorded in ${file}:\n${
        drifts.map(describeDrift).join("\n")
      }\nIf that is meant, record it again.`
    })
}
