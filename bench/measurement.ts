/** What was measured of one thing: a table, and what is to be said about it. */
export interface Section {
  readonly title: string
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string | number>>
  readonly notes: ReadonlyArray<string>
}

/** The one in the middle: outliers of a busy machine do not move it. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((one, other) => one - other)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (upper + lower) / 2
}

/** What the given part of the values does not exceed; they come sorted. */
export const quantile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN

/** A number with the given number of digits after its point. */
export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

/** The section as a Markdown table. */
export const markdownOf = ({ columns, notes, rows, title }: Section): string =>
  [
    `## ${title}`,
    "",
    ...[columns, columns.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`),
    "",
    ...notes.map((note) => `- ${note}`)
  ].join("\n")
