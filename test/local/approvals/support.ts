import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { ApprovalQueue } from "../../../src/local/approvals/ApprovalQueue.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { Methods } from "../../../src/local/protocol/methods.js"
import type { Session } from "../../../src/local/sessions/Session.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import type * as Store from "../../../src/local/store/Store.js"
import type { PermissionTier } from "../../../src/schema/CapabilityDefinition.js"
import { folders, quietly } from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { customCore, type CustomOptions } from "../protocol/customGateway.js"

/** A gateway without a way in, in memory unless told otherwise, at which `test.run` needs approval. */
export interface Approving {
  readonly queue: ApprovalQueue["Type"]
  readonly agents: Agents["Type"]
  readonly inStore: <A, E>(effect: Effect.Effect<A, E, Store.Store>) => Effect.Effect<A, E>
  /** Opens a session of an agent, who is made if need be. */
  readonly sessionOf: (agent: string) => Effect.Effect<Session>
  /** Calls a method of the protocol; dies where it is refused. */
  readonly call: (session: Session, method: string, params?: unknown) => Effect.Effect<unknown>
  /** Invokes `test.run`. */
  readonly run: (session: Session, text: string, more?: object) => Effect.Effect<unknown>
  /** The id of the request that invoking `test.run` leads to. */
  readonly ask: (session: Session, text: string, more?: object) => Effect.Effect<string>
  /** Waits until a request is neither pending nor running. */
  readonly settled: (approvalId: string) => Effect.Effect<string>
  /** The texts that `test.run` has run with. */
  readonly ran: ReadonlyArray<string>
  /** From now on the policy says this of `test.run`. */
  readonly decree: (tier: PermissionTier) => void
}

/** Lets what is under way in files and in the event loop come to something; the clock of a test does not. */
export const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Looks, whatever the clock says, until it is so. */
export const eventually = <A, E, R>(
  look: Effect.Effect<A, E, R>,
  isSo: (found: A) => boolean
): Effect.Effect<A, E, R> => Effect.repeat(Effect.zipLeft(look, turn), { until: isSo })

export const isOver = (status: string): boolean => status !== "pending" && status !== "running"

const open = Policy.catalogueTiers(Object.values(builtIn))

/** Makes it until the scope ends. */
export const approving = (
  options: Omit<CustomOptions, "policy"> & { readonly database?: string } = {}
): Effect.Effect<Approving, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    const scope = yield* Effect.scope
    const ran: Array<string> = []
    let tier: PermissionTier = "approval_required"
    const policy: Policy.PolicyService = {
      ...open,
      decide: (agent, capability, input, now) =>
        capability.name === "test.run"
          ? { tier, rule: "test:ask", reason: "somebody has to look" }
          : open.decide(agent, capability, input, now),
      listedTier: (agent, capability) => capability.name === "test.run" ? tier : open.listedTier(agent, capability)
    }
    const services = yield* Layer.build(customCore({
      ...options,
      policy,
      run: (text, invocation) => {
        ran.push(text)
        return options.run?.(text, invocation) ?? Effect.succeed(`${text}, done`)
      }
    }, { database: options.database ?? ":memory:", workspace }))
    const queue = Context.get(services, ApprovalQueue)
    const agents = Context.get(services, Agents)
    const methods = Context.get(services, Methods)
    const sessions = Context.get(services, Sessions)

    const call: Approving["call"] = (session, method, params) => Effect.orDie(methods.call(session, method, params))
    const run: Approving["run"] = (session, text, more = {}) =>
      call(session, "capabilities.invoke", { capability: "test.run", arguments: { text }, ...more })
    const made: Approving = {
      queue,
      agents,
      inStore: (effect) => Effect.provide(effect, services),
      sessionOf: (name) =>
        Effect.gen(function*() {
          const known = yield* agents.get(name)
          const agent = Option.isSome(known) ? known.value : (yield* agents.create({ name })).agent
          return yield* sessions.open(agent, { transport: "memory" })
        }).pipe(Effect.orDie, Effect.provideService(Scope.Scope, scope)),
      call,
      run,
      ask: (session, text, more) =>
        Effect.map(run(session, text, more), (answer) => textAt(answer, "error", "context", "approval_id")),
      settled: (approvalId) =>
        Effect.map(eventually(queue.get(approvalId), ({ status }) => isOver(status)), ({ status }) => status).pipe(
          Effect.orDie
        ),
      ran,
      decree: (next) => {
        tier = next
      }
    }
    return made
  }).pipe(quietly)

/** The type of the error in an answer of `capabilities.invoke`, or in the result of a request. */
export const errorType = (answer: unknown): unknown => at(answer, "error", "type")
