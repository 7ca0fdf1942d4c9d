import type { RunnerTask } from "vitest"
import { leftOut, reasonOf } from "./leftOut.js"

type Result = "passed" | "failed" | "skipped"

interface Case {
  readonly suite: string
  readonly layer: string
  readonly title: string
  readonly result: Result
}

const resultOf = (task: RunnerTask): Result =>
  task.mode === "skip" || task.mode === "todo" ? "skipped" : task.result?.state === "pass" ? "passed" : "failed"

/** The cases of suites that are called by their name and, in brackets, by that of a layer. */
export const casesOf = (tasks: ReadonlyArray<RunnerTask>): ReadonlyArray<Case> =>
  tasks.flatMap((suite) => {
    const named = /^(.+) \((.+)\)$/.exec(suite.name)
    if (suite.type !== "suite" || named?.[1] === undefined || named[2] === undefined) return []
    const [, name, layer] = named
    return suite.tasks.map((test) => ({ suite: name, layer, title: test.name, result: resultOf(test) }))
  })

const unique = <A>(values: Iterable<A>): ReadonlyArray<A> => [...new Set(values)]

const rowOf = ({ suite, title }: Pick<Case, "suite" | "title">) => `${suite} > ${title}`

const grid = (cases: ReadonlyArray<Case>) => {
  const results = new Map(cases.map((one) => [`${rowOf(one)} @ ${one.layer}`, one.result]))
  const rows = [...new Map(cases.map(({ suite, title }) => [rowOf({ suite, title }), { suite, title }])).values()]
  return {
    layers: unique(cases.map(({ layer }) => layer)),
    rows,
    at: (row: Pick<Case, "suite" | "title">, layer: string) => results.get(`${rowOf(row)} @ ${layer}`)
  }
}

/** What is wrong with where the cases run: nothing, if each runs on every layer, or it is said why it does not. */
export const gaps = (cases: ReadonlyArray<Case>): ReadonlyArray<string> => {
  const { at, layers, rows } = grid(cases)
  const missing = rows.flatMap((row) =>
    layers.flatMap((layer) => {
      const isRun = at(row, layer) !== undefined && at(row, layer) !== "skipped"
      const reason = reasonOf(layer, row.suite, row.title)
      if (isRun) return reason === undefined ? [] : [`${rowOf(row)} runs on ${layer}, although it is left out there`]
      return reason === undefined ? [`${rowOf(row)} does not run on ${layer}, and nothing says why`] : []
    })
  )
  const idle = leftOut.filter((one) =>
    !layers.includes(one.layer) ||
    !rows.some(({ suite, title }) => suite === one.suite && (one.title === undefined || one.title === title))
  )
  return [...missing, ...idle.map(({ layer, suite, title }) => `There is no ${suite} > ${title ?? "*"} on ${layer}`)]
}

const marks = { passed: "✓", failed: "✗", skipped: "–" }

/** Which case runs where, for humans. */
export const render = (cases: ReadonlyArray<Case>): string => {
  const { at, layers, rows } = grid(cases)
  const reasons = unique(leftOut.map(({ reason }) => reason))
  const mark = (row: Pick<Case, "suite" | "title">, layer: string) => {
    const result = at(row, layer) ?? "skipped"
    const reason = reasonOf(layer, row.suite, row.title)
    return result !== "skipped" || reason === undefined ? marks[result] : `${reasons.indexOf(reason) + 1}`
  }
  const letters = layers.map((_, index) => String.fromCharCode(65 + index))
  const width = Math.max(...rows.map(({ title }) => title.length)) + 2
  const line = (title: string, columns: ReadonlyArray<string>) => `${title.padEnd(width)} ${columns.join(" ")}`
  return [
    "Which case runs on which layer",
    ...layers.map((layer, index) => `  ${letters[index]}  ${layer}`),
    ...unique(rows.map(({ suite }) => suite)).flatMap((suite) => [
      "",
      line(suite, letters),
      ...rows.filter((row) => row.suite === suite).map((row) =>
        line(`  ${row.title}`, layers.map((layer) => mark(row, layer)))
      )
    ]),
    "",
    `${marks.passed} passed  ${marks.failed} failed  ${marks.skipped} not run  and left out, because`,
    ...reasons.map((reason, index) => `  ${index + 1}  ${reason}`)
  ].join("\n")
}
