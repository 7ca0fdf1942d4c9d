import * as DateTime from "effect/DateTime"

const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23"
})

/** A point in time in full, in the reader's zone. */
export const absolute = (at: DateTime.Utc): string => whole.format(DateTime.toEpochMillis(at))

/** The time of day in the reader's zone. */
export const timeOfDay = (at: DateTime.Utc): string => clock.format(DateTime.toEpochMillis(at))

/** How long so many seconds are, in its largest unit or two: `45 s`, `4 min`, `2 h 5 min`, `3 d`. */
export const duration = (seconds: number): string => {
  const rounded = Math.max(0, Math.round(seconds))
  if (rounded < 90) return `${rounded} s`
  const minutes = Math.round(rounded / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 || days > 6 ? `${days} d` : `${days} d ${hours % 24} h`
}

/** A point in time as seen from `now` (milliseconds since 1970): `just now`, `4 min ago`, `in 9 min`. */
export const relative = (at: DateTime.Utc, now: number): string => {
  const seconds = (DateTime.toEpochMillis(at) - now) / 1000
  if (Math.abs(seconds) < 2) return "just now"
  return seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`
}

/** Milliseconds as `0.4 ms`, `12 ms`, `1.5 s` or `4 min`. */
export const milliseconds = (value: number): string => {
  if (value < 10) return `${Math.round(value * 10) / 10} ms`
  if (value < 1000) return `${Math.round(value)} ms`
  return value < 60_000 ? `${Math.round(value / 100) / 10} s` : duration(value / 1000)
}
