/** What an error says of itself, by wire names: what the inputs of a recovery action can be made of. */
export type ErrorContext = { readonly [name: string]: unknown }

/** Inputs of a capability, by wire names. */
export type SuggestedInputs = { readonly [name: string]: unknown }

const root = "/workspace"

const pathOf = (context: ErrorContext): string | undefined => {
  const path = context["path"]
  return typeof path === "string" && path !== "" ? path : undefined
}

const namesOf = (path: string) => path.split("/").filter((name) => name !== "" && name !== ".")

const parentOf = (path: string): string => {
  const parent = namesOf(path).slice(0, -1).join("/")
  if (path.startsWith("/")) return parent === "" ? root : `/${parent}`
  return parent === "" ? root : parent
}

// `?` matches any one character, so a name with characters that mean something in a pattern is found too.
const asPattern = (name: string) => name.replaceAll(/[*?[\]{}()!+@|\\,]/g, "?")

const withPath = (context: ErrorContext, inputs: (path: string) => SuggestedInputs): SuggestedInputs | undefined => {
  const path = pathOf(context)
  return path === undefined ? undefined : inputs(path)
}

/** The path that the error is about. */
export const samePath = (context: ErrorContext) => withPath(context, (path) => ({ path }))

/** The directory that the error's path is in. */
export const parentDirectory = (context: ErrorContext) => withPath(context, (path) => ({ path: parentOf(path) }))

/** A search of the whole workspace for what the error's path ends with: a file of that name, or a directory's files. */
export const searchByName = (context: ErrorContext, type: string) =>
  withPath(context, (path) => {
    const name = namesOf(path).at(-1)
    if (name === undefined) return { path: root, pattern: "**" }
    return { path: root, pattern: type === "DirectoryNotFound" ? `**/${asPattern(name)}/**` : `**/${asPattern(name)}` }
  })

/** The error's path, with one more input. */
export const samePathWith = (inputs: SuggestedInputs) => (context: ErrorContext) =>
  withPath(context, (path) => ({ path, ...inputs }))

/** Inputs that do not depend on the error. */
export const always = (inputs: SuggestedInputs) => (): SuggestedInputs => inputs
