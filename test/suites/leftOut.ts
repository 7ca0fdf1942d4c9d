import type { Vitest } from "@effect/vitest"
import type * as Effect from "effect/Effect"

/** Cases that a layer is not asked to pass, and why. */
export interface LeftOut {
  readonly layer: string
  /** The suite, without the layer's name. */
  readonly suite: string
  /** Unless given, all its cases. */
  readonly title?: string
  readonly reason: string
}

const withoutTransactions = "local, without transactions"

const onlyTransactions = "it is `local, in memory` but for its transactions"

const notIsolated = "without the gateway's transactions each write is made at once, and undone one by one"

/** The only place that says what is not run where. */
export const leftOut: ReadonlyArray<LeftOut> = [
  {
    layer: "mock",
    suite: "Capabilities",
    title: "lists what it does not carry out yet, and says so when asked",
    reason:
      "it carries out whatever is scripted; what is not fails with an error of its own (test/testing/script.test.ts)"
  },
  ...["Gateway", "Capabilities", "Approvals", "State"].map((suite) => ({
    layer: withoutTransactions,
    suite,
    reason: onlyTransactions
  })),
  ...[
    "shows nobody else what is written to the state",
    "fails where somebody else has written a key since",
    "is rolled back when a step of it is not approved"
  ].map((title) => ({ layer: withoutTransactions, suite: "Transaction", title, reason: notIsolated }))
]

/** Says why a case is not run, where it is not. */
export const reasonOf = (layer: string, suite: string, title: string): string | undefined =>
  leftOut.find((one) => one.layer === layer && one.suite === suite && (one.title ?? title) === title)?.reason

/** A tester that skips the cases that a layer is not asked to pass. */
export const whereItHolds = <R>(effect: Vitest.Tester<R>, suite: string, layer: string) =>
<A, E>(
  title: string,
  self: () => Effect.Effect<A, E, R>
): void => effect.skipIf(reasonOf(layer, suite, title) !== undefined)(title, self)
