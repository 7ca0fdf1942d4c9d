/** What the public reference of KruxOS says of one capability, written down apart from the catalogue. */
export interface Documented {
  readonly tier: string
  readonly version: string
  readonly tags: string
  /** By name: the wire type, with `?` where the input may be left out, and `= ` before a default in JSON. */
  readonly inputs: { readonly [name: string]: string }
  readonly outputs: { readonly [name: string]: string }
  /** By error type: the recovery actions. */
  readonly errors: { readonly [type: string]: string }
  readonly sideEffects?: ReadonlyArray<string>
}

export interface Reference {
  readonly [name: string]: Documented
}

/** An input as its documentation describes it. */
export interface DocumentedInput {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly default?: unknown
}

/** The items of a list that is written as one text. */
export const names = (list: string): ReadonlyArray<string> => list.split(", ")

/** The inputs of a capability, in their order. */
export const documentedInputs = ({ inputs }: Documented): ReadonlyArray<DocumentedInput> =>
  Object.entries(inputs).map(([name, documented]) => {
    const [type = "", value] = documented.split(" = ")
    return {
      name,
      type: type.replace("?", ""),
      required: !type.endsWith("?"),
      ...(value === undefined ? {} : { default: JSON.parse(value) })
    }
  })
