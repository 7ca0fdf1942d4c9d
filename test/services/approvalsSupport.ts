import * as Effect from "effect/Effect"
import { builtIn } from "../../src/catalogue/builtIn.js"
import type { Link } from "../../src/connection/Link.js"
import type { ConnectionOptions } from "../../src/connection/Options.js"
import { make as makeRegion } from "../../src/services/approvalRegion.js"
import { Approvals, make as makeApprovals } from "../../src/services/Approvals.js"
import { make as makeCapabilities } from "../../src/services/Capabilities.js"
import { make as makeDecisions } from "../../src/services/decisions.js"
import { connectionOptions, linkTo } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import {
  type Asked,
  initialized,
  make,
  native,
  requests,
  type ScriptedGateway,
  type ServerSide
} from "../support/scriptedGateway.js"
import { failure } from "./support.js"

/** A gateway that runs what is approved by itself. */
export const features = { ...native, idempotency: { record_id: "record" }, approvals: {} }

interface Record {
  capability: unknown
  status: string
  reason?: string | undefined
  result?: unknown
}

export interface ApprovalGateway extends ScriptedGateway {
  /** Every request, of every connection, oldest first. */
  readonly asked: (method?: string) => ReadonlyArray<Asked>
  /** Says how a request stands from now on. */
  readonly decide: (id: string, record: Partial<Record>) => void
  /** Tells every connection that something has become of a request. */
  readonly push: (id: string, status?: string) => void
  /** How many requests for approval have been made. */
  readonly size: () => number
}

interface Script {
  readonly experimental?: object
  /** What it has besides MCP after the first connection; else the same. */
  readonly later?: object
  /** The ids of the requests, in order; else apr-1, apr-2 and so on. */
  readonly ids?: ReadonlyArray<string>
  /** Takes the place of the answer to any request, where it gives true. */
  readonly instead?: (request: Asked, server: ServerSide) => boolean
}

/** A gateway at which every invocation needs approval. */
export const approvalGateway = (
  { experimental = features, ids = [], instead, later = experimental }: Script = {}
): ApprovalGateway => {
  const records = new Map<string, Record>()
  const told = (id: string, { capability, reason, result, status }: Record) => ({
    approval_id: id,
    capability,
    status,
    reason,
    result: status === "approved" ? result : undefined
  })
  const answer = (request: Asked, server: ServerSide) => {
    const { id, method, params } = request
    if (instead?.(request, server) === true) return
    switch (method) {
      case "capabilities.invoke": {
        const capability = at(params, "capability")
        const approvalId = ids[records.size] ?? `apr-${records.size + 1}`
        records.set(approvalId, { capability, status: "pending" })
        return server.answer(
          id,
          failure({ type: "ApprovalPending", message: "wait", context: { request_id: approvalId } })
        )
      }
      case "approvals.check":
      case "approvals.withdraw": {
        const approvalId = String(at(params, "approval_id"))
        const record = records.get(approvalId)
        if (record === undefined) return server.refuse(id, { code: -32602, message: "There is no such request" })
        if (method === "approvals.withdraw" && record.status === "pending") record.status = "withdrawn"
        return server.answer(id, told(approvalId, record))
      }
      case "approvals.list":
        return server.answer(id, {
          approvals: [...records]
            .filter(([, { status }]) => (at(params, "status") ?? status) === status)
            .map(([approvalId, record]) => told(approvalId, record))
        })
      case "kruxos/checkApproval": {
        const record = records.get(String(at(params, "request_id")))
        return record === undefined
          ? server.refuse(id, { code: -32602, message: "There is no such request" })
          : server.answer(id, { status: record.status, reason: record.reason })
      }
      default:
        return server.refuse(id, { code: -32601, message: `There is no method ${method}` })
    }
  }
  const gateway = make(initialized(answer, experimental), initialized(answer, later))
  return {
    ...gateway,
    asked: (method) => gateway.connections.flatMap((connection) => requests(connection, method)),
    decide: (id, record) => {
      const { capability, ...rest } = records.get(id) ?? { capability: undefined, status: "pending" }
      records.set(id, { capability, ...rest, ...record })
    },
    push: (id, status = "approved") => {
      for (const connection of gateway.connections) {
        if (!connection.isClosed()) {
          connection.notify("notifications/kruxos/approval_resolved", { approval_id: id, status })
        }
      }
    },
    size: () => records.size
  }
}

/** Both services of a gateway, over one connection that ends with the scope. */
export const servicesOf = (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) =>
  Effect.flatMap(linkTo(gateway, options), (link) => servicesOver(link, options))

export const servicesOver = (link: Link, options: Partial<ConnectionOptions> = {}) =>
  Effect.gen(function*() {
    const timeout = options.requestTimeoutMillis ?? connectionOptions.requestTimeoutMillis
    const decisions = yield* makeDecisions(link, timeout)
    const region = makeRegion(link, decisions)
    const approvals = makeApprovals(link, builtIn, timeout, decisions, region)
    return {
      approvals,
      capabilities: makeCapabilities(link, builtIn, timeout, region.send),
      /** Gives the approvals as a Layer would. */
      provided: Effect.provideService(Approvals, approvals)
    }
  })
