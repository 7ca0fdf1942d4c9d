import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Sandbox } from "../../sandbox/Sandbox.js"

/** Where git runs: in the sandbox of the gateway, or as a program of the host where there is none. */
export class GitSandbox extends Context.Reference<GitSandbox>()("kruxos/local/GitSandbox", {
  defaultValue: (): Option.Option<Sandbox["Type"]> => Option.none()
}) {}

/** Has whatever git does run in the sandbox that is there when this is asked. */
export const withSandbox = Effect.map(
  Effect.serviceOption(Sandbox),
  (sandbox) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(effect, GitSandbox, sandbox)
)
