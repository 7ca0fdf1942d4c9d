import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { type AnyCapability, inputField } from "../catalogue/Capability.js"
import { recoveryFor } from "../catalogue/recovery.js"
import { wireTypeOf } from "../catalogue/wireType.js"
import { encodeFailure, type WireError } from "../errors/encode.js"
import { CapabilityNotFound, InvalidInput, PolicyDenied, RateLimited } from "../errors/general.js"
import type { KruxosError } from "../errors/KruxosError.js"
import { ApprovalQueue } from "./approvals/ApprovalQueue.js"
import { digestOf } from "./approvals/digest.js"
import { type Attempt, Audit } from "./audit/Audit.js"
import type { Invocation, Registration } from "./capabilities/Handler.js"
import { Registrations } from "./capabilities/Registrations.js"
import { RunOnce } from "./idempotency/RunOnce.js"
import { type Decision, type Exceeded, Policy } from "./policy/Policy.js"
import type { Session } from "./sessions/Session.js"
import { Sessions } from "./sessions/Sessions.js"
import { checkForm } from "./workspace/pathForm.js"

/** What the gateway does, whatever protocol asks for it. */
export interface CoreService {
  /**
   * Runs a capability for a session: arguments, policy, approval, handler, in this order. Succeeds with the output as it
   * goes on the wire. What is invoked with a key runs once, however often it is asked for: see RunOnce.
   */
  readonly invoke: (
    session: Session,
    name: string,
    input: unknown,
    idempotencyKey?: string
  ) => Effect.Effect<unknown, KruxosError>
  /** A failure of `invoke` as it goes on the wire, with what the catalogue says can be done about it. */
  readonly explain: (name: string, error: KruxosError) => WireError
}

export class Core extends Context.Tag("kruxos/local/Core")<Core, CoreService>() {}

/** What a name is answered that no capability has, or none that the agent may see. */
export const notFound = (name: string): CapabilityNotFound =>
  new CapabilityNotFound({
    message: `There is no capability ${name}`,
    requested: name,
    capability: name,
    context: { name }
  })

const denied = (capability: string, { reason, rule }: Decision) =>
  new PolicyDenied({
    message: `The policy does not allow ${capability}${reason === undefined ? "" : `: ${reason}`}`,
    capability,
    rule,
    reason
  })

const rateLimited = (capability: string, rule: string, { limit, retryAfterMillis, windowSeconds }: Exceeded) =>
  new RateLimited({
    message: `The policy allows ${limit} of ${capability} in ${windowSeconds} seconds, and they are used up`,
    capability,
    limit,
    windowSeconds,
    retryAfter: Duration.millis(retryAfterMillis),
    context: { rule }
  })

// A handler looks at paths, and is not there yet: nobody is asked to approve one that cannot be.
const checkPaths = (capability: AnyCapability, input: { readonly [name: string]: unknown }) =>
  Effect.forEach(
    Object.entries(capability.inputs).filter(([, field]) => wireTypeOf(inputField(field).schema) === "FilesystemPath"),
    ([name]) => {
      const path = input[name]
      return typeof path === "string" ? checkForm(path) : Either.void
    },
    { discard: true }
  )

const invocationOf = (session: Session): Invocation => ({
  agent: session.agent,
  sessionId: session.id,
  connectedAt: session.connectedAt,
  workspace: session.workspace,
  usage: session.usage,
  sessionScope: session.scope,
  invocations: session.invocations
})

/** Makes the core over the handlers that it is to run. */
const make = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const policy = yield* Policy
  const approvals = yield* ApprovalQueue
  const audit = yield* Audit
  const runOnce = yield* RunOnce
  const sessions = yield* Sessions
  const byName = yield* Registrations

  // Decides when it is called, and not when what it gives is run.
  const admitted = (
    session: Session,
    { capability, prepare }: Registration,
    given: unknown,
    attempt: Attempt
  ): Effect.Effect<unknown, KruxosError> => {
    const input = given ?? {}
    if (!Predicate.isReadonlyRecord(input)) {
      return Effect.fail(new InvalidInput({ message: "The arguments are not an object", reason: "not an object" }))
    }
    const prepared = prepare(input)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    const now = clock.unsafeCurrentTimeMillis()
    const decision = policy.decide(session.agent, capability, input, now)
    attempt.decided(decision)
    if (decision.exceeded !== undefined) {
      return Effect.fail(rateLimited(capability.name, decision.rule, decision.exceeded))
    }
    // Nothing may come in between: what is counted late lets others through.
    if (decision.tier !== "blocked" && decision.tier !== "approval_required") {
      policy.count(session.agent, capability, now)
    }
    const run = () => session.turns.run(attempt.run(capability, () => prepared.right(invocationOf(session))))
    switch (decision.tier) {
      case "autonomous":
        return run()
      case "notify":
        return Effect.zipRight(Effect.logInfo(`${session.agent.name} runs ${capability.name}`), run())
      case "approval_required":
        return Effect.zipRight(
          checkPaths(capability, input),
          approvals.ask({
            agent: session.agent,
            capability: capability.name,
            input,
            decision,
            idempotencyKey: attempt.idempotencyKey
          })
        )
      case "blocked":
        return Effect.fail(denied(capability.name, decision))
    }
  }

  const explain: CoreService["explain"] = (name, error) =>
    encodeFailure(error, recoveryFor(byName.get(name)?.capability, error))

  // It may outlive the connection that asked for it.
  const once = (
    session: Session,
    registration: Registration,
    input: unknown,
    idempotencyKey: string,
    attempt: Attempt
  ) =>
    Effect.gen(function*() {
      const { name } = registration.capability
      const keyed = {
        agent: session.agent.name,
        idempotencyKey,
        capability: name,
        digest: yield* digestOf(input ?? {})
      }
      const work = Effect.flatMap(session.holdWorkspace, () => admitted(session, registration, input, attempt))
      return yield* attempt.once(
        Effect.scoped(work),
        (own) => runOnce.run(keyed, own, (error) => explain(name, error))
      )
    })

  const started = (
    session: Session,
    name: string,
    input: unknown,
    attempt: Attempt
  ): Effect.Effect<unknown, KruxosError> => {
    const registration = byName.get(name)
    if (registration === undefined) return Effect.fail(notFound(name))
    session.countInvocation()
    const { capability } = registration
    // What is blocked is refused whatever the arguments, so that a blocked capability does not explain itself.
    if (policy.listedTier(session.agent, capability) === "blocked") {
      const decision = policy.decide(session.agent, capability, {}, 0)
      attempt.decided(decision)
      return Effect.fail(denied(capability.name, decision))
    }
    return attempt.idempotencyKey === undefined
      ? admitted(session, registration, input, attempt)
      : once(session, registration, input, attempt.idempotencyKey, attempt)
  }

  const attempted = (session: Session, name: string, input: unknown, attempt: Attempt) =>
    sessions.isKnownActive(session)
      ? started(session, name, input, attempt)
      : Effect.flatMap(sessions.checkPaused(session), () => started(session, name, input, attempt))

  const invoke: CoreService["invoke"] = (session, capability, input, idempotencyKey) =>
    Effect.suspend(() => {
      const attempt = audit.attempt({ session, capability, input, idempotencyKey })
      return attempt.watch(attempted(session, capability, input, attempt))
    })

  const core: CoreService = { invoke, explain }
  return core
})

export const layer = Layer.effect(Core, make)
