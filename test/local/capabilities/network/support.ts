import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { builtIn } from "../../../../src/catalogue/builtIn.js"
import type { KruxosError } from "../../../../src/errors/KruxosError.js"
import { registerAll } from "../../../../src/local/capabilities/Handler.js"
import { makeNetworkHandlers } from "../../../../src/local/capabilities/network/handlers.js"
import * as Egress from "../../../../src/local/egress/Egress.js"
import { NoAnswer } from "../../../../src/local/egress/failures.js"
import * as HostPattern from "../../../../src/local/egress/HostPattern.js"
import { Resolver } from "../../../../src/local/egress/Resolver.js"
import * as Policy from "../../../../src/local/policy/Policy.js"
import type { Workspace } from "../../../../src/local/workspace/Workspace.js"
import { invocationBy } from "../invocation.js"

export interface World {
  /** The hosts that the policy allows. */
  readonly allow?: ReadonlyArray<string>
  /** What name servers say; they know no other names. Or those of the machine. Or they never say anything. */
  readonly names?: { readonly [name: string]: ReadonlyArray<string> } | "of the machine" | "silent"
  readonly workspace?: Workspace
}

const policyOf = (allow: ReadonlyArray<string>): Policy.PolicyService => {
  const patterns = allow.map((text) => Either.getOrThrowWith(HostPattern.parse(text), (what) => new Error(what)))
  const egress = Egress.make([{ rule: "organization:network.allow", patterns }])
  return { ...Policy.allowAll, egress: () => egress }
}

const notThere = (name: string) =>
  new NoAnswer({ reason: "not_resolved", message: `${name} has no address`, sent: false })

/** Invokes a capability with arguments as they come from the wire, and gives what goes back. */
export const invoke = (
  name: keyof typeof builtIn,
  input: { readonly [name: string]: unknown },
  { allow = [], names = {}, workspace }: World = {}
): Effect.Effect<{ readonly [name: string]: unknown }, KruxosError, Scope.Scope> =>
  Effect.gen(function*() {
    const handlers = yield* makeNetworkHandlers.pipe(
      Effect.provideService(Policy.Policy, policyOf(allow)),
      names === "of the machine" ? identity : Effect.provideService(Resolver, {
        addressesOf: (asked) => {
          if (names === "silent") return Effect.never
          const addresses = names[asked]
          return addresses === undefined ? Effect.fail(notThere(asked)) : Effect.succeed(addresses)
        }
      })
    )
    const registration = registerAll(builtIn, handlers).find(({ capability }) => capability.name === name)
    if (registration === undefined) return yield* Effect.dieMessage(`no ${name}`)
    const invocation = yield* invocationBy("agent")
    const prepared = yield* registration.prepare(input)
    const output = yield* prepared(workspace === undefined ? invocation : { ...invocation, workspace })
    return yield* Effect.orDie(
      Schema.decodeUnknown(Schema.Record({ key: Schema.String, value: Schema.Unknown }))(output)
    )
  })
