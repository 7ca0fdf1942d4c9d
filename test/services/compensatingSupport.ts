import * as Effect from "effect/Effect"
import { type BuiltIn, builtIn } from "../../src/catalogue/builtIn.js"
import type { Input, NameIn } from "../../src/catalogue/Catalogue.js"
import * as Approvals from "../../src/connection/approvals.js"
import * as Invocations from "../../src/connection/invocations.js"
import { Invocation, type InvokeRequest } from "../../src/connection/InvokeRequest.js"
import type { Link } from "../../src/connection/Link.js"
import * as Capabilities from "../../src/services/Capabilities.js"
import { codecOf } from "../../src/services/codec.js"
import { begin } from "../../src/services/transaction/compensating/begin.js"
import type { OpenTransaction, SendStep } from "../../src/services/transaction/OpenTransaction.js"

interface StepOptions {
  readonly compensate?: InvokeRequest["compensate"]
  /** Takes the place of sending it. */
  readonly send?: SendStep
}

/** Transactions over a link that this package undoes itself, without the services around them. */
export const transactionsOver = (link: Link) => {
  const { invoke } = Capabilities.make(link, builtIn, 30_000)
  return {
    invoke,
    begin: (options: { readonly timeoutMillis?: number; readonly parent?: OpenTransaction } = {}) =>
      begin({
        ask: invoke,
        timeoutMillis: options.timeoutMillis,
        parent: options.parent,
        withdraw: (approvalId) => Approvals.withdraw(link, approvalId, 5000)
      }),
    step: <Name extends NameIn<BuiltIn>>(
      transaction: OpenTransaction,
      name: Name,
      input: Input<BuiltIn, Name>,
      { compensate, send = (request) => Invocations.invoke(link, request) }: StepOptions = {}
    ) =>
      Effect.suspend(() => {
        const codec = codecOf(builtIn, name)
        if (codec === undefined) return Effect.dieMessage(`${name} is not in the catalogue`)
        const encoded = codec.encode(input)
        return encoded._tag === "Left"
          ? Effect.fail(encoded.left)
          : transaction.step({ ...new Invocation(name, encoded.right, 30_000, undefined, codec), compensate }, send)
      })
  }
}
