import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { lookup } from "node:dns"
import { codeOf } from "../workspace/systemFailure.js"
import { NoAnswer } from "./failures.js"

export interface ResolverService {
  /** The addresses of a name, as the system knows them, in the order in which it would try them; at least one. */
  readonly addressesOf: (name: string) => Effect.Effect<ReadonlyArray<string>, NoAnswer>
}

const failed = (name: string, cause: unknown) => {
  const code = codeOf(cause)
  const isUnknown = code === "ENOTFOUND" || code === "ENODATA" || code === undefined
  return new NoAnswer({
    reason: "not_resolved",
    message: isUnknown ? `${name} has no address` : `The name servers gave no answer for ${name} (${code})`,
    sent: false,
    cause
  })
}

const look = (name: string) =>
  Effect.async<ReadonlyArray<string>, NoAnswer>((resume) => {
    lookup(name, { all: true, verbatim: true }, (cause, found) => {
      const addresses = [...new Set((found ?? []).map(({ address }) => address))]
      resume(cause === null && addresses.length > 0 ? Effect.succeed(addresses) : Effect.fail(failed(name, cause)))
    })
  })

// The system's own look-up cannot be stopped, and each occupies one of the few threads that also read files.
const atOnce = Effect.unsafeMakeSemaphore(2)

const system: ResolverService = {
  addressesOf: (name) => Effect.disconnect(atOnce.withPermits(1)(Effect.uninterruptible(look(name))))
}

/** Finds the addresses of names. */
export class Resolver
  extends Context.Reference<Resolver>()("kruxos/local/egress/Resolver", { defaultValue: () => system })
{}
