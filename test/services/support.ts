import * as Effect from "effect/Effect"
import { builtIn } from "../../src/catalogue/builtIn.js"
import type { AnyCatalogue } from "../../src/catalogue/Catalogue.js"
import type { ConnectionOptions } from "../../src/connection/Options.js"
import * as Capabilities from "../../src/services/Capabilities.js"
import { connectionOptions, linkTo } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import {
  type Asked,
  initialized,
  make,
  native,
  type ScriptedGateway,
  type ServerSide
} from "../support/scriptedGateway.js"

/** What a gateway that only speaks MCP does with a tool's arguments: the result of `tools/call`. */
export type ToolHandler = (argumentsGiven: unknown, request: Asked, server: ServerSide) => object | undefined

export const text = (value: string, more: object = {}) => ({ content: [{ type: "text", text: value }], ...more })

export const json = (value: unknown, more: object = {}) => text(JSON.stringify(value), more)

interface McpGateway {
  readonly tools?: ReadonlyArray<object>
  readonly call?: { readonly [tool: string]: ToolHandler }
  /** The ids of the approvals that it knows, and their status. */
  readonly approvals?: { readonly [id: string]: string }
}

const own = <A>(values: { readonly [name: string]: A } | undefined, name: unknown): A | undefined =>
  typeof name === "string" && values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined

/** A gateway as documented: MCP, and nothing of this project's extension. */
export const mcpGateway = ({ approvals, call, tools = [] }: McpGateway): ScriptedGateway =>
  make(initialized((request, server) => {
    const { id, method, params } = request
    if (method === "tools/list") return server.answer(id, { tools })
    if (method === "tools/call") {
      const handler = own(call, at(params, "name"))
      const result = handler?.(at(params, "arguments"), request, server)
      return result === undefined ? undefined : server.answer(id, result)
    }
    if (method === "kruxos/checkApproval" && approvals !== undefined) {
      const status = own(approvals, at(params, "request_id"))
      return status === undefined
        ? server.refuse(id, { code: -32602, message: "There is no such request" })
        : server.answer(id, { status })
    }
    return server.refuse(id, { code: -32601, message: `There is no method ${method}` })
  }))

/** A gateway with the native methods, whose only answer to an invocation is this. */
export const nativeGateway = (
  answer: (name: unknown, argumentsGiven: unknown, request: Asked, server: ServerSide) => unknown
): ScriptedGateway =>
  make(initialized((request, server) => {
    const { id, method, params } = request
    if (method !== "capabilities.invoke") {
      return server.refuse(id, { code: -32601, message: `There is no method ${method}` })
    }
    const result = answer(at(params, "capability"), at(params, "arguments"), request, server)
    return result === undefined ? undefined : server.answer(id, result)
  }, native))

export const success = (data: unknown) => ({ success: true, data })

export const failure = (error: unknown) => ({ success: false, error })

/** The capabilities of a gateway, over a connection that ends with the scope. */
export const capabilitiesOf = (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) =>
  capabilitiesIn(gateway, builtIn, options)

export const capabilitiesIn = <C extends AnyCatalogue>(
  gateway: ScriptedGateway,
  catalogue: C,
  options: Partial<ConnectionOptions> = {}
) =>
  Effect.map(
    linkTo(gateway, options),
    (link) => Capabilities.make(link, catalogue, options.requestTimeoutMillis ?? connectionOptions.requestTimeoutMillis)
  )
