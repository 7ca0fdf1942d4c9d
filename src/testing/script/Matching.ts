import * as Predicate from "effect/Predicate"
import { type AnyCapability, inputField } from "../../catalogue/Capability.js"
import { compare, type Difference } from "./difference.js"

/** All the arguments that are expected, made by {@link exactly}. */
export interface Exactly<out Input> {
  readonly _tag: "kruxos/testing/Exactly"
  readonly input: Input
}

/**
 * Expects these arguments and no others, where an object by itself expects at least its fields. An argument that the gateway fills in
 * where it is left out may be left out here as well.
 */
export const exactly = <const Input>(input: Input): Exactly<Input> => ({ _tag: "kruxos/testing/Exactly", input })

/** What an expectation says of the arguments, whatever capability it is for. */
export interface Matching {
  /** Where arguments differ from what is expected; nowhere where they are expected. */
  readonly differences: (input: unknown) => ReadonlyArray<Difference>
  /** What is expected, where it can be said. */
  readonly expected: unknown
}

const isExactly = (expected: unknown): expected is Exactly<unknown> =>
  Predicate.hasProperty(expected, "_tag") && expected._tag === "kruxos/testing/Exactly"

const isPredicate = (expected: unknown): expected is (input: unknown) => unknown => typeof expected === "function"

const withDefaults = ({ inputs }: AnyCapability, input: unknown): unknown =>
  Predicate.isReadonlyRecord(input)
    ? {
      ...Object.fromEntries(
        Object.entries(inputs)
          .map(([name, field]) => [name, inputField(field)] as const)
          .filter(([, { hasDefault }]) => hasDefault)
          .map(([name, field]): readonly [string, unknown] => [name, field.default])
      ),
      ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
    }
    : input

/** Arguments as short as they can be: without those that the gateway fills in just so where they are left out. */
export const withoutDefaults = ({ inputs }: AnyCapability, input: unknown): unknown =>
  Predicate.isReadonlyRecord(input)
    ? Object.fromEntries(
      Object.entries(input).filter(([name, value]) => {
        const field = inputs[name]
        if (field === undefined) return true
        const { default: filledIn, hasDefault } = inputField(field)
        return !hasDefault || compare(filledIn, value).length > 0
      })
    )
    : input

/** Reads what an expectation says: a predicate, all arguments, or some of them. */
export const matchingOf = (capability: AnyCapability, expected: unknown): Matching => {
  if (isPredicate(expected)) {
    return {
      differences: (input) => expected(input) === true ? [] : [{ path: [], expected, received: input }],
      expected
    }
  }
  if (isExactly(expected)) {
    const all = withDefaults(capability, expected.input)
    return { differences: (input) => compare(all, input), expected: expected.input }
  }
  return { differences: (input) => compare(expected, input, true), expected }
}
