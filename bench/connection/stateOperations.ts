/** How many calls are unanswered at every moment. */
export const widths = [1, 64, 1024] as const

/** What is asked, and what of bare SQLite it is measured by. The children know them by their index. */
export const operations = [
  { capability: "state.persistent.get", bare: "get" },
  { capability: "state.persistent.set", bare: "set" },
  { capability: "state.shared.get", bare: "get" },
  { capability: "state.session.get", bare: "get" }
] as const

type Operation = typeof operations[number]

/** What SQLite is asked. */
export const bareOperations = ["get", "set"] as const

/** Under which name an operation is in the samples. */
export const stateName = (capability: Operation["capability"], width: number): string => `${capability}-${width}`

export const sqliteName = (operation: Operation["bare"]): string => `sqlite.${operation}`

/** How many keys are read and written, by turns. */
export const keyCount = 1000

/** The keys. */
export const keys: ReadonlyArray<string> = Array.from({ length: keyCount }, (_, index) => `research.page.${index}`)

/** What is stored under each, about 150 bytes as JSON. */
export const value = { step: 3, total: 10, note: "A note that is neither long nor short. ".repeat(3).trim() }
