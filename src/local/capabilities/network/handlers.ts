import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { Resolver } from "../../egress/Resolver.js"
import { Policy } from "../../policy/Policy.js"
import type { HandlersOf } from "../Handler.js"
import { makeDownload } from "./download.js"
import { makeHttpRequest } from "./httpRequest.js"
import { makeDnsLookup, makePortCheck } from "./lookups.js"

type Carried = Omit<HandlersOf<BuiltIn, "network">, "network.credentialed_request">

/** The handlers of `network.*`, but for what needs a secret. Nothing is reached that the policy does not name. */
export const makeNetworkHandlers: Effect.Effect<Carried, never, Policy> = Effect.gen(function*() {
  const policy = yield* Policy
  const resolver = yield* Resolver
  return {
    "network.http_request": makeHttpRequest(policy, resolver),
    "network.dns_lookup": makeDnsLookup(policy, resolver),
    "network.download": makeDownload(policy, resolver),
    "network.port_check": makePortCheck(policy, resolver)
  }
})
