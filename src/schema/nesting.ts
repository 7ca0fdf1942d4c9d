/** How deep the messages of a gateway may be nested; what walks them by recursion never meets more. */
export const maximumDepth = 512

/** Whether a JSON value is nested deeper than so many levels. */
export const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" && value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

/** Whether the value of a JSON text can be nested deeper than a message may be. */
export const isLongEnoughToBeDeep = (text: string): boolean => text.length > 2 * maximumDepth

/** Whether the value of a JSON text is nested deeper than a message may be. */
export const isTooDeep = (text: string, value: unknown): boolean =>
  isLongEnoughToBeDeep(text) && isDeeper(value, maximumDepth)
