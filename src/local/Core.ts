import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { type AnyCapability, inputField } from "../catalogue/Capability.js"
import { recoveryFor } from "../catalogue/recovery.js"
import { wireTypeOf } from "../catalogue/wireType.js"
import { encodeFailure, type WireError } from "../errors/encode.js"
import { CapabilityNotFound, InvalidInput, PolicyDenied } from "../errors/general.js"
import type { KruxosError } from "../errors/KruxosError.js"
import { requestApproval } from "./approvals/gate.js"
import type { Invocation, Registration } from "./capabilities/Handler.js"
import { type Decision, Policy } from "./policy/Policy.js"
import type { Session } from "./sessions/Session.js"
import { ApprovalRequests } from "./store/Approvals.js"
import { checkForm } from "./workspace/pathForm.js"

/** What the gateway does, whatever protocol asks for it. */
export interface CoreService {
  /**
   * Runs a capability for a session: arguments, policy, approval, handler, in this order. Succeeds with the output as it
   * goes on the wire.
   */
  readonly invoke: (session: Session, name: string, input: unknown) => Effect.Effect<unknown, KruxosError>
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
export const make = Effect.fnUntraced(function*(registrations: ReadonlyArray<Registration>) {
  const policy = yield* Policy
  const approvals = yield* ApprovalRequests
  const byName = new Map(registrations.map((registration) => [registration.capability.name, registration]))

  const admitted = Effect.fnUntraced(
    function*(session: Session, { capability, prepare }: Registration, given: unknown) {
      const input = given ?? {}
      if (!Predicate.isReadonlyRecord(input)) {
        return yield* new InvalidInput({ message: "The arguments are not an object", reason: "not an object" })
      }
      // What is blocked is refused whatever the arguments, so that a blocked capability does not explain itself.
      if (policy.listedTier(session.agent, capability) === "blocked") {
        return yield* denied(capability.name, policy.decide(session.agent, capability, input))
      }
      const run = yield* prepare(input)
      const decision = policy.decide(session.agent, capability, input)
      switch (decision.tier) {
        case "autonomous":
          return yield* run(invocationOf(session))
        case "notify":
          yield* Effect.logInfo(`${session.agent.name} runs ${capability.name}`)
          return yield* run(invocationOf(session))
        case "approval_required":
          yield* checkPaths(capability, input)
          return yield* yield* requestApproval(session.agent, capability.name, input, decision)
        case "blocked":
          return yield* denied(capability.name, decision)
      }
    }
  )

  const invoke: CoreService["invoke"] = (session, name, input) =>
    Effect.gen(function*() {
      const registration = byName.get(name)
      if (registration === undefined) return yield* notFound(name)
      session.countInvocation()
      return yield* admitted(session, registration, input)
    }).pipe(Effect.provideService(ApprovalRequests, approvals))

  const explain: CoreService["explain"] = (name, error) =>
    encodeFailure(error, recoveryFor(byName.get(name)?.capability, error))

  const core: CoreService = { invoke, explain }
  return core
})
