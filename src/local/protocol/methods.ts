import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { isListed } from "../../catalogue/listFilter.js"
import { capabilityName } from "../../catalogue/toolName.js"
import { parentOf } from "../../connection/traceparent.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { RpcCode } from "../../errors/wire.js"
import { ApprovalState } from "../../schema/Approval.js"
import { CapabilityDefinition } from "../../schema/CapabilityDefinition.js"
import type { ApprovalQueue } from "../approvals/ApprovalQueue.js"
import { Directory } from "../capabilities/Directory.js"
import { Core, notFound } from "../Core.js"
import { RunOnce } from "../idempotency/RunOnce.js"
import { service } from "../inOrder.js"
import { Policy } from "../policy/Policy.js"
import type { Session } from "../sessions/Session.js"
import { Sessions } from "../sessions/Sessions.js"
import type { StateWatches } from "../state/StateWatches.js"
import type { Inbox } from "../store/Inbox.js"
import type { Transactions as OwnTransactions } from "../transactions/Transactions.js"
import * as Approvals from "./approvals.js"
import type { Drain } from "./drain.js"
import * as Events from "./events.js"
import type { Listener } from "./Notification.js"
import * as Params from "./params.js"
import { invalidMessage, type Refusal, refuse, refuseError } from "./Refusal.js"
import { failureResult, outputResult } from "./toolResult.js"
import * as Transactions from "./transactions.js"

/** What the gateway answers for a session, whatever transport asks. */
export interface MethodsService {
  /** The parts of the protocol's extension that this gateway has over every transport, as they are advertised. */
  readonly features: Features
  readonly call: (session: Session, method: string, params: unknown) => Effect.Effect<unknown, Refusal>
  /** Calls the listener with what a session is told without asking, from now on until the scope closes. */
  readonly tell: (session: Session, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
}

/** The parts of the protocol's extension, by name, with what is to be known of each. */
export interface Features {
  readonly [name: string]: { readonly [field: string]: unknown }
}

/** The one method table, of MCP's methods and of KruxOS's own. */
export class Methods extends Context.Tag("kruxos/local/Methods")<Methods, MethodsService>() {}

type Method = (params: unknown, session: Session) => Effect.Effect<unknown, Refusal>

const method = <A, I>(
  schema: Schema.Schema<A, I>,
  run: (params: A, session: Session, given: unknown) => Effect.Effect<unknown, Refusal>
): Method => {
  const decode = Params.decoder(schema)
  return (params, session) => {
    const decoded = decode(params)
    return Either.isRight(decoded) ? run(decoded.right, session, params) : Effect.fail(decoded.left)
  }
}

const text = Schema.optional(Schema.NullOr(Schema.String))

// Long enough for any, and short enough to be repeated in an error.
const identifier = Schema.String.pipe(Schema.maxLength(200))

/** What may be an idempotency key: 1 to 200 printable characters of ASCII. */
const idempotencyKey = Schema.String.pipe(Schema.pattern(/^[\x20-\x7e]{1,200}$/))

const transaction = Schema.Struct({ transaction_id: identifier })

const holdSeconds = Schema.Number.pipe(Schema.between(0, 86_400))

const make = Effect.gen(function*() {
  const core = yield* Core
  const directory = yield* Directory
  const sessions = yield* Sessions
  const approvals = yield* Approvals.make
  const transactions = yield* Transactions.make
  const tellEvents = yield* Events.make
  const policy = yield* Policy
  const runOnce = yield* RunOnce
  const encodeDefinition = Schema.encodeSync(CapabilityDefinition)

  // A key that is no longer good ends the session, however it shows.
  const isFinal = ({ _tag }: KruxosError) => _tag === "AuthenticationFailed"

  // Much can have happened to the agent in the meantime.
  const held = (
    session: Session,
    seconds: number | null | undefined,
    invocation: Effect.Effect<unknown, KruxosError>
  ) =>
    seconds === undefined || seconds === null || seconds === 0
      ? invocation
      : Effect.zipLeft(approvals.hold(session.agent.name, seconds, invocation), sessions.checkStanding(session))

  const list = method(
    Schema.Struct({ category: text, tag: text, name_contains: text }),
    ({ category, name_contains, tag }, { agent }) =>
      Effect.sync(() => ({
        capabilities: directory.definitions(agent)
          .filter(isListed({
            category: category || undefined,
            tag: tag || undefined,
            nameContains: name_contains || undefined
          }))
          .map((definition) => encodeDefinition(definition))
      }))
  )

  const describe = method(Schema.Struct({ name: identifier }), ({ name }, { agent }) => {
    const definition = directory.definition(agent, name)
    return definition === undefined
      ? Effect.fail(
        refuse(core.explain(name, notFound(name)))
      )
      : Effect.sync(() => encodeDefinition(definition))
  })

  const invoke = method(
    Schema.Struct({
      capability: identifier,
      arguments: Schema.optional(Schema.Unknown),
      idempotency_key: Schema.optional(Schema.NullOr(idempotencyKey)),
      hold_seconds: Schema.optional(Schema.NullOr(holdSeconds)),
      transaction_id: Schema.optional(Schema.NullOr(identifier)),
      compensated: Schema.optional(Schema.NullOr(Schema.Boolean))
    }),
    (
      { arguments: input, capability, compensated, hold_seconds, idempotency_key, transaction_id: id },
      session,
      given
    ) =>
      Effect.matchEffect(
        held(
          session,
          hold_seconds,
          core.invoke(session, capability, input, {
            idempotencyKey: idempotency_key ?? undefined,
            parent: parentOf(given),
            transaction: typeof id === "string" ? { id, isCompensated: compensated === true } : undefined
          })
        ),
        {
          onSuccess: (data) => Effect.succeed({ success: true, data }),
          onFailure: (error) => {
            const wire = core.explain(capability, error)
            return isFinal(error) ? Effect.fail(refuse(wire)) : Effect.succeed({ success: false, error: wire })
          }
        }
      )
  )

  const outcome = method(
    Schema.Struct({ idempotency_key: idempotencyKey }),
    ({ idempotency_key }, { agent }) =>
      Effect.mapError(runOnce.outcome({ agent: agent.name, idempotencyKey: idempotency_key }), refuseError)
  )

  const listTools = method(
    Schema.Struct({}),
    (_params, { agent }) => Effect.sync(() => ({ tools: directory.tools(agent) }))
  )

  const callTool = method(
    Schema.Struct({ name: identifier, arguments: Schema.optional(Schema.Unknown) }),
    ({ arguments: input, name }, session, given) => {
      const capability = capabilityName(name)
      return Effect.matchEffect(core.invoke(session, capability, input, { parent: parentOf(given) }), {
        onSuccess: (output) => Effect.succeed(outputResult(capability, output)),
        onFailure: (error) => {
          const wire = core.explain(capability, error)
          return isFinal(error) || error._tag === "CapabilityNotFound"
            ? Effect.fail(refuse(wire))
            : Effect.succeed(failureResult(capability, wire))
        }
      })
    }
  )

  const checkApproval = method(
    Schema.Struct({ request_id: identifier }),
    ({ request_id }, { agent }) => Effect.mapError(approvals.checkPlainly(agent.name, request_id), refuseError)
  )

  const check = method(
    Schema.Struct({ approval_id: identifier }),
    ({ approval_id }, { agent }) => Effect.mapError(approvals.check(agent.name, approval_id), refuseError)
  )

  const withdraw = method(
    Schema.Struct({ approval_id: identifier }),
    ({ approval_id }, { agent }) => Effect.mapError(approvals.withdraw(agent.name, approval_id), refuseError)
  )

  const listApprovals = method(
    Schema.Struct({ status: Schema.optional(Schema.NullOr(ApprovalState)) }),
    ({ status }, { agent }) => Effect.mapError(approvals.list(agent.name, status ?? undefined), refuseError)
  )

  const begin = method(
    Schema.Struct({
      parent: Schema.optional(Schema.NullOr(identifier)),
      timeout_seconds: Schema.optional(Schema.NullOr(Schema.Number))
    }),
    ({ parent, timeout_seconds }, session) =>
      transactions.begin(session, parent ?? undefined, timeout_seconds ?? undefined)
  )

  const commit = method(transaction, ({ transaction_id }, { agent }) => transactions.commit(agent.name, transaction_id))

  const rollback = method(
    transaction,
    ({ transaction_id }, { agent }) => transactions.rollback(agent.name, transaction_id)
  )

  const table = new Map<string, Method>([
    ["ping", () => Effect.succeed({})],
    ["capabilities.list", list],
    ["capabilities.describe", describe],
    ["capabilities.invoke", invoke],
    ["capabilities.outcome", outcome],
    ["tools/list", listTools],
    ["tools/call", callTool],
    ["kruxos/checkApproval", checkApproval],
    ["approvals.check", check],
    ["approvals.list", listApprovals],
    ["approvals.withdraw", withdraw],
    ["transaction.begin", begin],
    ["transaction.commit", commit],
    ["transaction.rollback", rollback]
  ])

  const call: MethodsService["call"] = (session, name, params) => {
    const found = table.get(name)
    if (found === undefined) {
      return Effect.fail(invalidMessage(RpcCode.methodNotFound, `There is no method ${name.slice(0, 200)}`))
    }
    return sessions.isKnownGood(session)
      ? found(params, session)
      : Effect.flatMap(Effect.mapError(sessions.checkStanding(session), refuseError), () => found(params, session))
  }

  const features: Features = {
    native: {},
    cancellation: {},
    idempotency: { record_id: runOnce.recordId },
    approvals: {},
    events: {},
    transactions: {}
  }

  const tell: MethodsService["tell"] = (session, listener) =>
    Effect.all([
      approvals.tell(session.agent.name, listener),
      tellEvents(session, listener),
      transactions.tell(session, listener),
      policy.onChange(session.agent, () => listener({ method: "notifications/tools/list_changed", params: undefined }))
    ], { discard: true })

  return { call, features, tell }
})

export const layer: Layer.Layer<
  Methods,
  never,
  ApprovalQueue | Core | Directory | Drain | Inbox | Policy | RunOnce | Sessions | StateWatches | OwnTransactions
> = service(Methods, make)
