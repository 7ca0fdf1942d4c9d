import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ConnectionOptions } from "../../src/connection/Options.js"
import { layerOf } from "../../src/services/Gateway.js"
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
import { failure, success } from "./support.js"

export const features = { ...native, idempotency: { record_id: "record" }, approvals: {}, transactions: {} }

export const nothing = { rolled_back: [], not_reversible: [], conflicts: [] }

interface Script {
  readonly experimental?: object
  /** What it has besides MCP after the first connection, if it can be connected to again; else the same. */
  readonly later?: object | "hang"
  /** Takes the place of the answer to any request, where it gives true. */
  readonly instead?: (request: Asked, server: ServerSide) => boolean
  /** What a rollback reports. */
  readonly report?: object
}

export interface TransactionGateway extends ScriptedGateway {
  /** Every request, of every connection, oldest first. */
  readonly asked: (method?: string) => ReadonlyArray<Asked>
  /** The methods of what was asked, with the names of the capabilities, and the transactions. */
  readonly log: () => ReadonlyArray<string>
  /** Tells every connection that the gateway has ended a transaction. */
  readonly end: (id: string, reason: string) => void
}

const told = ({ method, params }: Asked) =>
  [
    at(params, "capability") ?? method.replace("transaction.", ""),
    at(params, "transaction_id") ?? at(params, "parent"),
    at(params, "compensated") === true ? "compensated" : undefined
  ].filter((part) => part !== undefined).join(" ")

/** A gateway with transactions, which does nothing and calls it a success. */
export const transactionGateway = (
  { experimental = features, instead, later = experimental, report = nothing }: Script = {}
): TransactionGateway => {
  let begun = 0
  const answer = (request: Asked, server: ServerSide) => {
    const { id, method, params } = request
    if (instead?.(request, server) === true) return
    switch (method) {
      case "transaction.begin":
        return server.answer(id, { transaction_id: `tx-${++begun}` })
      case "transaction.commit":
        return server.answer(id, { success: true })
      case "transaction.rollback":
        return server.answer(id, report)
      case "capabilities.invoke": {
        const name = at(params, "capability")
        return server.answer(
          id,
          name === "filesystem.write"
            ? success({ path: at(at(params, "arguments"), "path"), size: 5, checksum: "0".repeat(64) })
            : name === "alerts.send"
            ? success({ alert_id: "alert-1", delivered_to: "file_queue", severity: "info" })
            : failure({ type: "FileNotFound", message: "There is no such file" })
        )
      }
      default:
        return server.refuse(id, { code: -32601, message: `There is no method ${method}` })
    }
  }
  const gateway = make(
    initialized(answer, experimental),
    later === "hang" ? later : initialized(answer, later)
  )
  const asked = (method?: string) => gateway.connections.flatMap((connection) => requests(connection, method))
  return {
    ...gateway,
    asked,
    log: () => asked().map(told),
    end: (id, reason) => {
      for (const connection of gateway.connections) {
        if (!connection.isClosed()) {
          connection.notify("notifications/kruxos/transaction_ended", { transaction_id: id, reason })
        }
      }
    }
  }
}

/** The services of a gateway, over one connection that ends with the scope. */
export const servicesOf = (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) =>
  Layer.build(layerOf(linkTo(gateway, options), { ...connectionOptions, ...options }, Option.none()))

/** Runs something with the services of a gateway. */
export const over =
  (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.flatMap(servicesOf(gateway, options), (services) => Effect.provide(self, services))

/** Answers a method otherwise, as often as there is something to do. */
export const otherwise = (method: string, ...answers: ReadonlyArray<(request: Asked, server: ServerSide) => void>) => {
  let count = 0
  return (request: Asked, server: ServerSide): boolean => {
    const answer = request.method === method ? answers[count] : undefined
    if (answer === undefined) return false
    count++
    answer(request, server)
    return true
  }
}
