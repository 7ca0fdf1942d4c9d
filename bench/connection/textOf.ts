import type { RawData } from "ws"

/** The text of a frame: `ws` gives one Buffer unless it is told otherwise. */
export const textOf = (data: RawData): string => Buffer.isBuffer(data) ? data.toString() : ""
