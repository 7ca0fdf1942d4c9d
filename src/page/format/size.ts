const units = ["B", "KiB", "MiB", "GiB", "TiB"]

/** So many bytes, in the unit that fits. */
export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`
}

const number = new Intl.NumberFormat("en-US")

/** A count with its thousands apart. */
export const grouped = (count: number): string => number.format(count)

/** A count with its noun: `1 request`, `2,000 requests`. */
export const counted = (count: number, one: string, many: string = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`
