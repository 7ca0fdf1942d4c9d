import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AnyCapability } from "../../catalogue/Capability.js"
import { anyReplyOf } from "./AnyReply.js"
import { describeDifferences } from "./difference.js"
import * as Line from "./Line.js"
import { type Matching, matchingOf, withoutDefaults } from "./Matching.js"
import type { Mismatch } from "./ScriptMismatch.js"
import { show } from "./show.js"

/** Something that is expected, and how far it is used up. */
export interface Expectation {
  readonly matching: Matching
  readonly line: Line.Line
}

/** What is nearest to an answer. */
export interface Near {
  readonly text: string
  /** Undefined where all that would fit is used up. */
  readonly expectation: Expectation | undefined
}

/** Why nothing answers an invocation. */
export interface Missing {
  readonly _tag: "Missing"
  readonly nearest: Near | undefined
}

/** What the script has for an invocation. */
export type Found = Line.Taken | Missing

/** The script: what is expected and what is scripted, and how far it is used up. */
export interface Book {
  /** Expects an invocation of a capability. */
  readonly expect: (capability: AnyCapability, input: unknown, reply: unknown) => void
  /** Takes the answer to an invocation with these arguments, as a handler gets them. */
  readonly take: (name: string, input: unknown) => Found
  /** Notes arguments, as they came over the wire, to be compared with what was expected. */
  readonly came: (name: string, input: unknown) => void
  /**
   * What was not used up. Each of `near` takes one of what was expected away, and with it the same difference, seen from the other side:
   * an invocation came that is nearest to it.
   */
  readonly unused: (near: ReadonlyArray<Expectation>) => ReadonlyArray<Mismatch>
}

const differenceOf = ({ expected, differences }: Matching, input: unknown): string =>
  typeof expected === "function"
    ? `a predicate does not accept ${show(input)}`
    : describeDifferences(differences(input))

const nearest = <A>(candidates: ReadonlyArray<A>, distance: (candidate: A) => number): A | undefined =>
  candidates.reduce<{ readonly best: A; readonly at: number } | undefined>((found, candidate) => {
    const at = distance(candidate)
    return found === undefined || at < found.at ? { best: candidate, at } : found
  }, undefined)?.best

const titleOf = (name: string, { expected }: Matching) =>
  `${name}(${typeof expected === "function" ? "whatever a predicate accepts" : show(expected)})`

/** Makes the script of these capabilities: `scripts` are by name. */
export const make = (
  capabilityOf: (name: string) => AnyCapability | undefined,
  scripts: ReadonlyMap<string, unknown>
): Book => {
  const lines = new Map(
    [...scripts].map(([name, script]) => [name, Line.make(anyReplyOf(script), { repeats: true })])
  )
  const expectations = new Map<string, Array<Expectation>>()
  const received = new Map<string, Array<unknown>>()

  const whyNot = (name: string, input: unknown): Near | undefined => {
    const own = expectations.get(name) ?? []
    const open = own.filter(({ line }) => Line.hasNext(line))
    const near = nearest(open, ({ matching }) => matching.differences(input).length)
    if (near !== undefined) {
      const { matching } = near
      return {
        text: `The nearest expectation, ${titleOf(name, matching)}, differs:\n${differenceOf(matching, input)}`,
        expectation: near
      }
    }
    const used = own.find(({ matching }) => matching.differences(input).length === 0)
    const line = lines.get(name) ?? used?.line
    return line && {
      text: `The script answers ${Line.most(line)} of them, and this is one more.`,
      expectation: undefined
    }
  }

  // What does not decode was refused, and is shown as it came.
  const receivedOf = (name: string): ReadonlyArray<unknown> => {
    const decode = Schema.decodeUnknownOption(capabilityOf(name)?.handlerInputSchema ?? Schema.Unknown)
    return (received.get(name) ?? []).map((given) => Option.getOrElse(decode(given), () => given))
  }

  const shortened = (name: string, input: unknown) => {
    const capability = capabilityOf(name)
    return capability === undefined ? input : withoutDefaults(capability, input)
  }

  const differsFrom = (name: string, { matching }: Expectation): string | undefined => {
    const near = nearest(receivedOf(name), (input) => matching.differences(input).length)
    return near === undefined || matching.differences(near).length === 0
      ? undefined
      : `The nearest invocation, ${name}(${show(shortened(name, near))}), differs:\n${differenceOf(matching, near)}`
  }

  return {
    expect: (capability, input, reply) => {
      const own = expectations.get(capability.name) ?? []
      expectations.set(capability.name, own)
      own.push({ matching: matchingOf(capability, input), line: Line.make(anyReplyOf(reply), { repeats: false }) })
    },
    take: (name, input) => {
      const expectation = expectations.get(name)?.find(({ line, matching }) =>
        Line.hasNext(line) && matching.differences(input).length === 0
      )
      const line = expectation?.line ?? lines.get(name)
      return (line && Line.take(line)) ?? { _tag: "Missing", nearest: whyNot(name, input) }
    },
    came: (name, given) => {
      const own = received.get(name) ?? []
      received.set(name, own)
      own.push(given)
    },
    unused: (nearest) => [
      ...[...expectations].flatMap(([name, own]) =>
        own.flatMap((expectation): ReadonlyArray<Mismatch> => {
          const left = Line.least(expectation.line)
          if (left <= nearest.filter((one) => one === expectation).length) return []
          const near = differsFrom(name, expectation)
          return [{
            _tag: "Unused",
            what: titleOf(name, expectation.matching),
            left,
            ...(near === undefined ? {} : { nearest: near })
          }]
        })
      ),
      ...[...lines].filter(([, line]) => Line.left(line) > 0).map(([name, line]): Mismatch => ({
        _tag: "Unused",
        what: `the script of ${name}`,
        left: Line.left(line)
      }))
    ]
  }
}
