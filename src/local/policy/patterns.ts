const isCapability = (text: string): boolean =>
  /^[A-Za-z0-9]+(_[A-Za-z0-9]+)*(\.[A-Za-z0-9]+(_[A-Za-z0-9]+)*)+$/.test(text)

const isCategory = (text: string): boolean =>
  /^[A-Za-z0-9]+(_[A-Za-z0-9]+)*(\.[A-Za-z0-9]+(_[A-Za-z0-9]+)*)*\.\*$/.test(text)

/** Why a pattern is none: it is a capability, `category.*`, or `*`. */
export const problemOfPattern = (pattern: string): string | undefined => {
  if (pattern === "*" || isCapability(pattern) || isCategory(pattern)) return undefined
  const shown = JSON.stringify(pattern.slice(0, 100))
  return pattern.includes("*")
    ? `${shown} is no pattern: a star stands for all that follows a dot, as in filesystem.*, or alone`
    : `${shown} is no pattern: write a capability such as filesystem.read, a category such as filesystem.*, or *`
}

/** All patterns that a capability fits, the most specific one first. */
export const patternsOf = (capability: string): ReadonlyArray<string> => {
  const segments = capability.split(".")
  const categories = segments.slice(1).map((_, index) =>
    `${segments.slice(0, segments.length - 1 - index).join(".")}.*`
  )
  return [capability, ...categories, "*"]
}
