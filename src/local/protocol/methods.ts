import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isListed } from "../../catalogue/listFilter.js"
import { capabilityName } from "../../catalogue/toolName.js"
import { InvalidInput } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { RpcCode } from "../../errors/wire.js"
import { CapabilityDefinition } from "../../schema/CapabilityDefinition.js"
import { Directory } from "../capabilities/Directory.js"
import { Core, notFound } from "../Core.js"
import type { Session } from "../sessions/Session.js"
import { Sessions } from "../sessions/Sessions.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { ApprovalRequests } from "../store/Approvals.js"
import * as Params from "./params.js"
import { invalidMessage, type Refusal, refuse, refuseError } from "./Refusal.js"
import { failureResult, outputResult } from "./toolResult.js"

/** What the gateway answers for a session, whatever transport asks. */
export interface MethodsService {
  readonly call: (session: Session, method: string, params: unknown) => Effect.Effect<unknown, Refusal>
}

/** The one method table, of MCP's methods and of KruxOS's own. */
export class Methods extends Context.Tag("kruxos/local/Methods")<Methods, MethodsService>() {}

type Method = (params: unknown, session: Session) => Effect.Effect<unknown, Refusal>

const method = <A, I>(
  schema: Schema.Schema<A, I>,
  run: (params: A, session: Session) => Effect.Effect<unknown, Refusal>
): Method => {
  const decode = Params.decoder(schema)
  return (params, session) => Effect.flatMap(decode(params), (decoded) => run(decoded, session))
}

const text = Schema.optional(Schema.NullOr(Schema.String))

// Long enough for any, and short enough to be repeated in an error.
const identifier = Schema.String.pipe(Schema.maxLength(200))

const make = Effect.gen(function*() {
  const core = yield* Core
  const directory = yield* Directory
  const sessions = yield* Sessions
  const approvals = yield* ApprovalRequests
  const encodeDefinition = Schema.encodeSync(CapabilityDefinition)

  // A key that is no longer good ends the session, however it shows.
  const isFinal = ({ _tag }: KruxosError) => _tag === "AuthenticationFailed"

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
    Schema.Struct({ capability: identifier, arguments: Schema.optional(Schema.Unknown) }),
    ({ arguments: input, capability }, session) =>
      Effect.matchEffect(core.invoke(session, capability, input), {
        onSuccess: (data) => Effect.succeed({ success: true, data }),
        onFailure: (error) => {
          const wire = core.explain(capability, error)
          return isFinal(error) ? Effect.fail(refuse(wire)) : Effect.succeed({ success: false, error: wire })
        }
      })
  )

  const listTools = method(
    Schema.Struct({}),
    (_params, { agent }) => Effect.sync(() => ({ tools: directory.tools(agent) }))
  )

  const callTool = method(
    Schema.Struct({ name: identifier, arguments: Schema.optional(Schema.Unknown) }),
    ({ arguments: input, name }, session) => {
      const capability = capabilityName(name)
      return Effect.matchEffect(core.invoke(session, capability, input), {
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
    ({ request_id }, { agent }) =>
      Effect.gen(function*() {
        const found = yield* Effect.mapError(
          approvals.get({ agent: agent.name, approvalId: request_id }),
          (cause) => refuseError(storeUnavailable(cause))
        )
        if (Option.isNone(found)) {
          return yield* refuseError(
            new InvalidInput({ message: `There is no request for approval ${request_id}`, field: "request_id" })
          )
        }
        const { approvalId, capability, expiresAt, status } = found.value
        return { request_id: approvalId, capability, status, expires_at: DateTime.formatIso(expiresAt) }
      })
  )

  const table = new Map<string, Method>([
    ["ping", () => Effect.succeed({})],
    ["capabilities.list", list],
    ["capabilities.describe", describe],
    ["capabilities.invoke", invoke],
    ["tools/list", listTools],
    ["tools/call", callTool],
    ["kruxos/checkApproval", checkApproval]
  ])

  const call: MethodsService["call"] = (session, name, params) => {
    const found = table.get(name)
    return found === undefined
      ? Effect.fail(invalidMessage(RpcCode.methodNotFound, `There is no method ${name.slice(0, 200)}`))
      : Effect.zipRight(Effect.mapError(sessions.checkStanding(session), refuseError), found(params, session))
  }

  return { call }
})

export const layer: Layer.Layer<Methods, never, Core | Directory | Sessions | ApprovalRequests> = Layer.effect(
  Methods,
  make
)
