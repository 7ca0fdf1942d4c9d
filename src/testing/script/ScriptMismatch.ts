import * as Data from "effect/Data"
import { show } from "./show.js"

/** One thing that did not go by the script. */
export type Mismatch =
  /** An invocation came that nothing answers; `nearest` is what is nearest to an answer. */
  | { readonly _tag: "Unscripted"; readonly capability: string; readonly arguments: unknown; readonly nearest?: string }
  /** The script gave an answer that the capability cannot have; `reason` is what does not fit. */
  | { readonly _tag: "Unfit"; readonly capability: string; readonly reason: string }
  /** `what` was said to happen, and did not, or `left` times more; `nearest` is what is nearest to it of what did. */
  | { readonly _tag: "Unused"; readonly what: string; readonly left: number; readonly nearest?: string }

const indented = (text: string, by: string) => text.split("\n").join(`\n${by}`)

const timesOf = (left: number) => left === 1 ? "once" : `${left} times`

const describe = (mismatch: Mismatch): string => {
  switch (mismatch._tag) {
    case "Unscripted":
      return [
        `${mismatch.capability}(${show(mismatch.arguments)}) came, and nothing answers it.`,
        ...(mismatch.nearest === undefined ? [] : [mismatch.nearest])
      ].join("\n")
    case "Unfit":
      return `${mismatch.capability} was given an answer that it cannot have:\n${mismatch.reason}`
    case "Unused":
      return [
        `${mismatch.what} was to be used ${timesOf(mismatch.left)} more.`,
        ...(mismatch.nearest === undefined ? [] : [mismatch.nearest])
      ].join("\n")
  }
}

const titleOf = (count: number) =>
  count === 1 ? "One thing did not go by the script:" : `${count} things did not go by the script:`

/** What happened is not what the test's script says. `message` is the difference, for a human. */
export class ScriptMismatch extends Data.TaggedError("ScriptMismatch")<{
  readonly mismatches: ReadonlyArray<Mismatch>
  readonly message: string
}> {
  /** What did not go by the script, with the message that says it. */
  static readonly of = (mismatches: ReadonlyArray<Mismatch>): ScriptMismatch =>
    new ScriptMismatch({
      mismatches,
      message: [
        titleOf(mismatches.length),
        ...mismatches.map((mismatch, index) => `${index + 1}. ${indented(describe(mismatch), "   ")}`)
      ].join("\n")
    })
}
