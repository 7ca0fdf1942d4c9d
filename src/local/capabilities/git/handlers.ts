import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { Resolver } from "../../egress/Resolver.js"
import { Policy } from "../../policy/Policy.js"
import * as Turns from "../../recovery/Turns.js"
import type { HandlersOf, Invocation } from "../Handler.js"
import { branch } from "./branch.js"
import { makeClone } from "./clone.js"
import { commit } from "./commit.js"
import { diff } from "./diff.js"
import { withSandbox } from "./GitSandbox.js"
import { init } from "./init.js"
import { log } from "./log.js"
import { makePull } from "./pull.js"
import { makePush } from "./push.js"
import { nameOf } from "./Repository.js"
import { status } from "./status.js"

/** The handlers of `git.*`. What changes a repository comes one after the other. */
export const makeGitHandlers: Effect.Effect<HandlersOf<BuiltIn, "git">, never, Policy> = Effect.gen(function*() {
  const policy = yield* Policy
  const resolver = yield* Resolver
  const turns = Turns.make()
  const inSandbox = yield* withSandbox

  const inTurn = <Input extends { readonly path: string }, A, E>(
    handler: (input: Input, invocation: Invocation) => Effect.Effect<A, E>
  ) =>
  (input: Input, invocation: Invocation): Effect.Effect<A, E> =>
    Effect.flatMap(
      nameOf(invocation.workspace, input.path),
      (name) => turns.take([name], inSandbox(handler(input, invocation)))
    )

  const walled =
    <Input, A, E>(handler: (input: Input, invocation: Invocation) => Effect.Effect<A, E>) =>
    (input: Input, invocation: Invocation): Effect.Effect<A, E> => inSandbox(handler(input, invocation))

  return {
    "git.branch": inTurn(branch),
    "git.clone": inTurn(makeClone(policy, resolver)),
    "git.commit": inTurn(commit),
    "git.diff": walled(diff),
    "git.init": inTurn(init),
    "git.log": walled(log),
    "git.pull": inTurn(makePull(policy, resolver)),
    "git.push": inTurn(makePush(policy, resolver)),
    "git.status": walled(status)
  }
})
