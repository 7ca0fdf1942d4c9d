import type { Capacity } from "./Machine.js"

/** From 0 to 100; 0 of nothing. */
export const percentOf = (part: number, whole: number): number =>
  whole > 0 ? 100 * Math.min(Math.max(part / whole, 0), 1) : 0

/** How much of a capacity is in use. */
export const percentUsed = ({ available, total }: Capacity): number => percentOf(total - available, total)

/** Two decimals are all that a percentage means. */
export const roundPercent = (percent: number): number => Math.round(percent * 100) / 100
