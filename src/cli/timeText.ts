const units: ReadonlyArray<readonly [seconds: number, name: string]> = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"]
]

/** A length of time in its two largest units, and one of less than a minute to the millisecond or the tenth of a second. */
export const timeText = (seconds: number): string => {
  if (!(seconds >= 0)) return "0 ms"
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 59.95) return `${Number(seconds.toFixed(1))} s`
  const whole = Math.round(seconds)
  const first = units.findIndex(([length]) => whole >= length)
  const parts = units.slice(first, first + 2).map(([length, name], index) => {
    const larger = index === 0 ? Infinity : units[first]?.[0] ?? Infinity
    return [Math.floor((whole % larger) / length), name] as const
  })
  return parts.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`).join(" ")
}
