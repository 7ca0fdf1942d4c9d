import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import { type AnyCapability, inputField } from "../catalogue/Capability.js"
import { recoveryFor } from "../catalogue/recovery.js"
import { wireTypeOf } from "../catalogue/wireType.js"
import { encodeFailure, type WireError } from "../errors/encode.js"
import { CapabilityNotFound, InvalidInput, PolicyDenied, RateLimited } from "../errors/general.js"
import type { KruxosError } from "../errors/KruxosError.js"
import { ApprovalQueue } from "./approvals/ApprovalQueue.js"
import { digestOf } from "./approvals/digest.js"
import { type Attempt, Audit } from "./audit/Audit.js"
import type { Invocation, Prepared, Registration } from "./capabilities/Handler.js"
import { Registrations } from "./capabilities/Registrations.js"
import * as Checked from "./idempotency/checked.js"
import { type Keyed, RunOnce } from "./idempotency/RunOnce.js"
import { service } from "./inOrder.js"
import { type Decision, type Exceeded, Policy } from "./policy/Policy.js"
import { currentProgress, type ReportProgress } from "./progress.js"
import type { Session } from "./sessions/Session.js"
import { Sessions } from "./sessions/Sessions.js"
import * as Observing from "./tracing/observing.js"
import { type Step, Transactions } from "./transactions/Transactions.js"
import { checkForm } from "./workspace/pathForm.js"

/** What an invocation belongs to. */
export interface InvokeOptions {
  readonly idempotencyKey?: string | undefined
  readonly transaction?: {
    readonly id: string
    /** The caller undertakes to undo it. */
    readonly isCompensated: boolean
  } | undefined
  /** The caller's span. */
  readonly parent?: Tracer.ExternalSpan | undefined
}

/** What the gateway does, whatever protocol asks for it. */
export interface CoreService {
  /**
   * Runs a capability for a session: arguments, transaction, policy, approval, handler, in this order. Succeeds with the output as it
   * goes on the wire. What is invoked with a key runs once, however often it is asked for: see RunOnce.
   */
  readonly invoke: (
    session: Session,
    name: string,
    input: unknown,
    options?: InvokeOptions
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
const checkPaths = (capability: AnyCapability, input: Arguments) =>
  Effect.forEach(
    Object.entries(capability.inputs).filter(([, field]) => wireTypeOf(inputField(field).schema) === "FilesystemPath"),
    ([name]) => {
      const path = input[name]
      return typeof path === "string" ? checkForm(path) : Either.void
    },
    { discard: true }
  )

const invocationOf = (session: Session, progress: ReportProgress | undefined): Invocation => ({
  agent: session.agent,
  sessionId: session.id,
  connectedAt: session.connectedAt,
  workspace: session.workspace,
  usage: session.usage,
  sessionScope: session.scope,
  invocations: session.invocations,
  progress
})

interface Arguments {
  readonly [name: string]: unknown
}

/** An invocation that may be carried out if the policy says so. */
interface Asking {
  readonly attempt: Attempt
  readonly capability: AnyCapability
  readonly session: Session
  readonly transaction: InvokeOptions["transaction"]
  readonly keyed: Keyed | undefined
}

const stepOf = ({ attempt, capability, transaction }: Asking, input: Arguments): Step | undefined =>
  transaction === undefined ? undefined : {
    transactionId: transaction.id,
    capability,
    input,
    idempotencyKey: attempt.idempotencyKey,
    isCompensated: transaction.isCompensated
  }

/** Makes the core over the handlers that it is to run. */
const make = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const policy = yield* Policy
  const approvals = yield* ApprovalQueue
  const audit = yield* Audit
  const runOnce = yield* RunOnce
  const runChecked = yield* Checked.make
  const sessions = yield* Sessions
  const transactions = yield* Transactions
  const byName = yield* Registrations
  const observe = yield* Observing.make

  // Decides when it is called, and not when what it gives is run.
  const decided = (asked: Asking, run: Prepared, input: Arguments): Effect.Effect<unknown, KruxosError> => {
    const { attempt, capability, keyed, session, transaction } = asked
    const { trace } = attempt
    const now = clock.unsafeCurrentTimeMillis()
    const decide = () => policy.decide(session.agent, capability, input, now)
    const decision = trace === undefined ? decide() : trace.decide(decide)
    attempt.decided(decision)
    if (decision.exceeded !== undefined) {
      return Effect.fail(rateLimited(capability.name, decision.rule, decision.exceeded))
    }
    // Nothing may come in between: what is counted late lets others through.
    if (decision.tier !== "blocked" && decision.tier !== "approval_required") {
      policy.count(session.agent, capability, now)
    }
    const step = stepOf(asked, input)
    const handler = () =>
      Effect.withFiberRuntime<unknown, KruxosError>((fiber) => {
        const invocation = invocationOf(session, fiber.getFiberRef(currentProgress)?.report)
        if (step !== undefined) return transactions.run(step, invocation, run)
        return keyed === undefined ? run(invocation) : runChecked(keyed, capability, input, invocation, run)
      })
    const traced = trace === undefined ? handler : () => trace.handler(handler)
    const turn = () => session.turns.run(attempt.run(capability, traced))
    switch (decision.tier) {
      case "autonomous":
        return turn()
      case "notify":
        return Effect.zipRight(Effect.logInfo(`${session.agent.name} runs ${capability.name}`), turn())
      case "approval_required":
        return Effect.zipRight(
          checkPaths(capability, input),
          approvals.ask({
            agent: session.agent,
            capability: capability.name,
            input,
            decision,
            idempotencyKey: attempt.idempotencyKey,
            transactionId: transaction?.id,
            sessionId: session.id,
            isCompensated: transaction?.isCompensated,
            traceparent: trace?.traceparent
          })
        )
      case "blocked":
        return Effect.fail(denied(capability.name, decision))
    }
  }

  const admitted = (
    session: Session,
    { capability, prepare }: Registration,
    given: unknown,
    transaction: InvokeOptions["transaction"],
    attempt: Attempt,
    keyed?: Keyed
  ): Effect.Effect<unknown, KruxosError> => {
    const input = given ?? {}
    if (!Predicate.isReadonlyRecord(input)) {
      return Effect.fail(new InvalidInput({ message: "The arguments are not an object", reason: "not an object" }))
    }
    const prepared = prepare(input)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    const asked = { attempt, capability, session, transaction, keyed }
    if (transaction === undefined) return decided(asked, prepared.right, input)
    return Effect.flatMap(
      transactions.admit(
        { agent: session.agent.name, sessionId: session.id },
        { transactionId: transaction.id, capability, isCompensated: transaction.isCompensated }
      ),
      () => decided(asked, prepared.right, input)
    )
  }

  const explain: CoreService["explain"] = (name, error) =>
    encodeFailure(error, recoveryFor(byName.get(name)?.capability, error))

  // It may outlive the connection that asked for it.
  const once = (
    session: Session,
    registration: Registration,
    input: unknown,
    idempotencyKey: string,
    transaction: InvokeOptions["transaction"],
    attempt: Attempt
  ) =>
    Effect.gen(function*() {
      const { name } = registration.capability
      const keyed: Keyed = {
        agent: session.agent.name,
        idempotencyKey,
        capability: name,
        digest: yield* digestOf(transaction === undefined ? input ?? {} : [transaction.id, input ?? {}]),
        transactionId: transaction?.id,
        explain: (error) => explain(name, error)
      }
      const work = Effect.flatMap(
        session.holdWorkspace,
        () => admitted(session, registration, input, transaction, attempt, keyed)
      )
      return yield* attempt.once(Effect.scoped(work), (own) => runOnce.run(keyed, own))
    })

  const started = (
    session: Session,
    name: string,
    input: unknown,
    transaction: InvokeOptions["transaction"],
    attempt: Attempt
  ): Effect.Effect<unknown, KruxosError> => {
    const registration = byName.get(name)
    if (registration === undefined) return Effect.fail(notFound(name))
    session.countInvocation()
    const { capability } = registration
    // What is blocked is refused whatever the arguments, so that a blocked capability does not explain itself.
    if (policy.listedTier(session.agent, capability) === "blocked") {
      const decide = () => policy.decide(session.agent, capability, {}, 0)
      const decision = attempt.trace === undefined ? decide() : attempt.trace.decide(decide)
      attempt.decided(decision)
      return Effect.fail(denied(capability.name, decision))
    }
    return attempt.idempotencyKey === undefined
      ? admitted(session, registration, input, transaction, attempt)
      : once(session, registration, input, attempt.idempotencyKey, transaction, attempt)
  }

  const invoke: CoreService["invoke"] = (session, name, input, { idempotencyKey, parent, transaction } = {}) =>
    Effect.suspend(() => {
      const transactionId = transaction?.id
      const isKnown = byName.has(name)
      // Written out: to spread an object costs more than all else that is done here.
      const { onEnd, trace } = observe({ session, capability: name, isKnown, idempotencyKey, transactionId, parent })
      const attempt = audit.attempt({ session, capability: name, input, idempotencyKey, transactionId, trace, onEnd })
      const attempted = () => started(session, name, input, transaction, attempt)
      return attempt.watch(
        sessions.isKnownActive(session) ? attempted() : Effect.flatMap(sessions.checkPaused(session), attempted)
      )
    })

  const core: CoreService = { invoke, explain }
  return core
})

export const layer = service(Core, make)
