import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import { AuthenticationFailed, OutcomeUnknown } from "../../errors/gateway.js"
import { InvalidInput, PolicyDenied, ServiceUnavailable, SessionPaused } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Invocation, Prepared } from "../capabilities/Handler.js"
import { Registrations } from "../capabilities/Registrations.js"
import { Policy } from "../policy/Policy.js"
import type { EffectCheck } from "../recovery/EffectCheck.js"
import { EffectChecks } from "../recovery/EffectChecks.js"
import { Sessions } from "../sessions/Sessions.js"
import { measure } from "../sessions/usage.js"
import { Workspaces } from "../sessions/Workspaces.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { type Agent, Agents } from "../store/Agents.js"
import { type ApprovalRecord, ApprovalRequests } from "../store/Approvals.js"
import type { InvocationTrace } from "../tracing/InvocationTrace.js"
import { Transactions } from "../transactions/Transactions.js"
import { digestOf } from "./digest.js"
import { transactionOver } from "./outcome.js"
import type { WaitingStep } from "./steps.js"

const unknown = ({ approvalId, capability }: ApprovalRecord, reason = "it may or may not have taken effect") =>
  new OutcomeUnknown({
    message: `${capability} was approved (${approvalId}), and the gateway was cut off while it ran: ${reason}`,
    capability,
    context: { approval_id: approvalId }
  })

const notShown = ({ approvalId, capability }: ApprovalRecord) =>
  new InvalidInput({
    message: `The arguments of ${approvalId} are not those that were shown for approval; nothing was run`,
    capability,
    reason: "digest"
  })

const contextOf = ({ agent, sessionId, workspace }: Invocation) => ({
  agent: agent.name,
  workspace,
  source: sessionId
})

/** Makes what carries out approved invocations. */
export const make = Effect.gen(function*() {
  const agents = yield* Agents
  const checks = yield* EffectChecks
  const policy = yield* Policy
  const records = yield* ApprovalRequests
  const registrations = yield* Registrations
  const sessions = yield* Sessions
  const transactions = yield* Transactions
  const workspaces = yield* Workspaces

  const standing = ({ agent: name, capability }: ApprovalRecord) =>
    Effect.gen(function*() {
      const agent = yield* Effect.mapError(agents.get(name), storeUnavailable)
      if (Option.isNone(agent) || agent.value.status === "revoked") {
        return yield* new AuthenticationFailed({
          type: "auth.agent_revoked",
          message: `Agent ${name} has been revoked: ${capability} was approved, and is not run`
        })
      }
      if (agent.value.status === "paused") {
        return yield* new SessionPaused({
          message: `Agent ${name} is paused: ${capability} was approved, and is not run`,
          capability
        })
      }
      return agent.value
    })

  // What was approved is looked at again as if it were asked for now, but for the approval.
  const prepared = (record: ApprovalRecord, agent: Agent, trace: InvocationTrace | undefined) =>
    Effect.gen(function*() {
      const registration = registrations.get(record.capability)
      const input = record.arguments
      if (registration === undefined || !Predicate.isReadonlyRecord(input)) {
        return yield* new ServiceUnavailable({
          message: `${record.capability} is no longer there`,
          capability: record.capability,
          service: "gateway",
          retryable: false
        })
      }
      if ((yield* digestOf(input)) !== record.digest) return yield* notShown(record)
      const now = yield* Clock.currentTimeMillis
      const decide = () => policy.decide(agent, registration.capability, input, now)
      const decision = trace === undefined ? decide() : trace.decide(decide)
      // A limit on the rate is what the human has waived.
      if (decision.tier === "blocked" && decision.exceeded === undefined) {
        return yield* new PolicyDenied({
          message: `${record.capability} was approved, and the policy does not allow it any more`,
          capability: record.capability,
          rule: decision.rule,
          reason: decision.reason
        })
      }
      const run = yield* registration.prepare(input)
      policy.count(agent, registration.capability, now)
      const traced: Prepared = (invocation) =>
        trace === undefined ? run(invocation) : trace.handler(() => run(invocation))
      return { capability: registration.capability, input, run: traced }
    })

  const workspaceOf = (agent: Agent) =>
    Effect.mapError(
      workspaces.of(agent),
      (cause) =>
        new ServiceUnavailable({ message: "The agent's workspace cannot be opened", service: "workspace", cause })
    )

  const invocationOf = (record: ApprovalRecord, agent: Agent) =>
    Effect.gen(function*() {
      const invocation: Invocation = {
        agent,
        sessionId: record.approvalId,
        approvalId: record.approvalId,
        connectedAt: yield* DateTime.now,
        workspace: yield* workspaceOf(agent),
        usage: measure(),
        sessionScope: yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit)),
        invocations: () => 1
      }
      return invocation
    })

  // A step of a transaction is the session's own, and ends with it at the latest.
  const invocationIn = (record: ApprovalRecord, agent: Agent, { sessionId, transactionId }: WaitingStep) =>
    Effect.gen(function*() {
      const session = sessionId === undefined ? undefined : sessions.running.get(sessionId)
      if (session === undefined) return yield* transactionOver(record, transactionId)
      const invocation: Invocation = {
        agent,
        sessionId: session.id,
        connectedAt: session.connectedAt,
        workspace: yield* workspaceOf(agent),
        usage: session.usage,
        sessionScope: session.scope,
        invocations: session.invocations
      }
      return invocation
    })

  const stateBefore = (check: EffectCheck | undefined, input: Arguments, invocation: Invocation) =>
    check === undefined
      ? Effect.succeedNone
      : Effect.option(check.before(input, contextOf(invocation)))

  interface Begun {
    readonly record: ApprovalRecord
    readonly check: EffectCheck | undefined
    readonly input: Arguments
    readonly invocation: Invocation
    readonly run: Prepared
  }

  const begin = ({ check, input, invocation, record, run }: Begun) =>
    Effect.gen(function*() {
      const before = yield* stateBefore(check, input, invocation)
      yield* Effect.mapError(
        records.begin(record.approvalId, Option.getOrUndefined(before)),
        storeUnavailable
      )
      return yield* run(invocation)
    })

  // It had begun when its gateway was cut off.
  const goOn = (begun: Begun): Effect.Effect<unknown, KruxosError> => {
    const { check, input, invocation, record } = begun
    if (check === undefined || Option.isNone(record.before)) return Effect.fail(unknown(record))
    return Effect.flatMap(
      check.after(input, record.before.value, contextOf(invocation)),
      (found): Effect.Effect<unknown, KruxosError> => {
        switch (found._tag) {
          case "Done":
            return Effect.succeed(found.output)
          case "NotDone":
            return begin(begun)
          case "PartlyDone":
            return found.finish
          case "Unknown":
            return Effect.fail(unknown(record, found.reason))
        }
      }
    )
  }

  const prepareToRun = (record: ApprovalRecord, trace: InvocationTrace | undefined) =>
    Effect.gen(function*() {
      const agent = yield* standing(record)
      const { input, run } = yield* prepared(record, agent, trace)
      const invocation = yield* invocationOf(record, agent)
      const begun: Begun = { record, check: checks.get(record.capability), input, invocation, run }
      return begun
    })

  // Two that change the same file come one after the other, or the effect of one would be taken for that of the other.
  const alone = ({ check, input, invocation }: Begun, effect: Effect.Effect<unknown, KruxosError>) =>
    check === undefined ? effect : check.alone(input, contextOf(invocation), effect)

  const carriedOut = (record: ApprovalRecord, onEnd: OnEnd, trace: InvocationTrace | undefined) =>
    Effect.matchCauseEffect(prepareToRun(record, trace), {
      onFailure: (cause): Effect.Effect<unknown, KruxosError> => onEnd(Exit.failCause(cause)),
      onSuccess: (begun) =>
        alone(begun, Effect.onExit(Option.isSome(record.beganAt) ? goOn(begun) : begin(begun), onEnd))
    })

  // What was cut off has been undone with its transaction, so that there is nothing to go on with.
  const carriedOutIn = (record: ApprovalRecord, step: WaitingStep, trace: InvocationTrace | undefined) =>
    Effect.gen(function*() {
      const { isCompensated, transactionId } = step
      const agent = yield* standing(record)
      const { capability, input, run } = yield* prepared(record, agent, trace)
      const invocation = yield* invocationIn(record, agent, step)
      yield* Effect.mapError(records.begin(record.approvalId, undefined), storeUnavailable)
      const idempotencyKey = Option.getOrUndefined(record.idempotencyKey)
      return yield* transactions.run(
        { transactionId, capability, input, idempotencyKey, isCompensated },
        invocation,
        run
      )
    })

  /**
   * Runs what was approved, with exactly the arguments shown; or goes on where a gateway was cut off while it did. `onEnd` is told
   * what came of it before anything else may change the same files. A step of a transaction runs in it, and not without it.
   */
  return (
    record: ApprovalRecord,
    step: WaitingStep | undefined,
    onEnd: OnEnd,
    trace: InvocationTrace | undefined
  ): Effect.Effect<unknown, KruxosError> =>
    Option.match(record.transactionId, {
      onNone: () => carriedOut(record, onEnd, trace),
      onSome: (transactionId) =>
        Effect.onExit(
          step === undefined ? transactionOver(record, transactionId) : carriedOutIn(record, step, trace),
          onEnd
        )
    }).pipe(Effect.scoped)
})

type OnEnd = (exit: Exit.Exit<unknown, KruxosError>) => Effect.Effect<void>

interface Arguments {
  readonly [name: string]: unknown
}
