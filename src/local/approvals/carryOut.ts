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
import { measure } from "../sessions/usage.js"
import { Workspaces } from "../sessions/Workspaces.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { type Agent, Agents } from "../store/Agents.js"
import { type ApprovalRecord, ApprovalRequests } from "../store/Approvals.js"
import { digestOf } from "./digest.js"

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
  const prepared = (record: ApprovalRecord, agent: Agent) =>
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
      const decision = policy.decide(agent, registration.capability, input, now)
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
      return { input, run }
    })

  const invocationOf = (record: ApprovalRecord, agent: Agent) =>
    Effect.gen(function*() {
      const invocation: Invocation = {
        agent,
        sessionId: record.approvalId,
        approvalId: record.approvalId,
        connectedAt: yield* DateTime.now,
        workspace: yield* Effect.mapError(
          workspaces.of(agent),
          (cause) =>
            new ServiceUnavailable({ message: "The agent's workspace cannot be opened", service: "workspace", cause })
        ),
        usage: measure(),
        sessionScope: yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit)),
        invocations: () => 1
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

  const prepareToRun = (record: ApprovalRecord) =>
    Effect.gen(function*() {
      const agent = yield* standing(record)
      const { input, run } = yield* prepared(record, agent)
      const invocation = yield* invocationOf(record, agent)
      const begun: Begun = { record, check: checks.get(record.capability), input, invocation, run }
      return begun
    })

  // Two that change the same file come one after the other, or the effect of one would be taken for that of the other.
  const alone = ({ check, input, invocation }: Begun, effect: Effect.Effect<unknown, KruxosError>) =>
    check === undefined ? effect : check.alone(input, contextOf(invocation), effect)

  /**
   * Runs what was approved, with exactly the arguments shown; or goes on where a gateway was cut off while it did. `onEnd` is told
   * what came of it before anything else may change the same files.
   */
  return (
    record: ApprovalRecord,
    onEnd: (exit: Exit.Exit<unknown, KruxosError>) => Effect.Effect<void>
  ): Effect.Effect<unknown, KruxosError> =>
    Effect.matchCauseEffect(prepareToRun(record), {
      onFailure: (cause): Effect.Effect<unknown, KruxosError> => onEnd(Exit.failCause(cause)),
      onSuccess: (begun) =>
        alone(begun, Effect.onExit(Option.isSome(record.beganAt) ? goOn(begun) : begin(begun), onEnd))
    }).pipe(Effect.scoped)
})

interface Arguments {
  readonly [name: string]: unknown
}
