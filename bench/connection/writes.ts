/** What ten writes are made of: the children know them by their index. */
export const kinds = ["filesystem.write", "state.persistent.set"] as const

/** Alone, or as one transaction. */
export const ways = ["alone", "transaction"] as const

/** How many writes are made each time. */
export const writeCount = 10

/** Under which name they are in the samples. */
export const writesName = (kind: typeof kinds[number], way: typeof ways[number]): string => `${kind}-${way}`
