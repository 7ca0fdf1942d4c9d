import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Link } from "../../src/connection/Link.js"
import type { ConnectionOptions } from "../../src/connection/Options.js"
import { make as makeState } from "../../src/services/State.js"
import { linkTo } from "../connection/linkSupport.js"
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
import { servicesOver } from "./approvalsSupport.js"
import { failure, success } from "./support.js"

export const pushing = { ...native, idempotency: { record_id: "record" }, events: {} }

interface Entry {
  readonly value: unknown
  readonly version: number
  readonly updatedAt: string
}

interface Script {
  readonly experimental?: object
  /** Takes the place of the answer to an invocation, where it gives true. */
  readonly instead?: (capability: string, request: Asked, server: ServerSide) => boolean
}

export interface StateGateway extends ScriptedGateway {
  /** Writes a key behind everybody's back, and tells those who watch unless told not to. */
  readonly write: (key: string, value: unknown, options?: { readonly version?: number; readonly silent?: true }) => void
  readonly remove: (key: string, options?: { readonly silent?: true }) => void
  readonly value: (key: string) => unknown
  /** Tells every connection that watches of a change. */
  readonly tell: (key: string, version?: number, deleted?: boolean) => void
  /** The invocations of a capability, of every connection, oldest first. */
  readonly invoked: (capability: string) => ReadonlyArray<Asked>
}

const capabilityOf = ({ params }: Asked) => String(at(params, "capability"))

/** A gateway with shared state only, which everybody may use. */
export const stateGateway = ({ experimental = pushing, instead }: Script = {}): StateGateway => {
  const entries = new Map<string, Entry>()
  const versions = new Map<string, number>()
  const watching = new Map<ServerSide, Set<string>>()
  let seconds = 0

  const tell: StateGateway["tell"] = (key, version = versions.get(key) ?? 0, deleted = !entries.has(key)) => {
    for (const [server, prefixes] of watching) {
      if (server.isClosed() || ![...prefixes].some((prefix) => key.startsWith(prefix))) continue
      server.notify("notifications/kruxos/state_changed", { key, version, owner_agent: "other", deleted })
    }
  }
  const write: StateGateway["write"] = (key, value, { silent, version = (versions.get(key) ?? 0) + 1 } = {}) => {
    seconds++
    const updatedAt = new Date(seconds * 1000).toISOString()
    entries.set(key, { value, version, updatedAt })
    versions.set(key, version)
    if (silent !== true) tell(key)
  }
  const remove: StateGateway["remove"] = (key, { silent } = {}) => {
    if (entries.delete(key) && silent !== true) tell(key)
  }

  const shown = ({ updatedAt, value, version }: Entry) => ({
    value,
    version,
    owner_agent: "other",
    updated_at: updatedAt
  })

  const answer = (capability: string, input: unknown, server: ServerSide) => {
    const key = String(at(input, "key"))
    const prefix = String(at(input, "prefix") ?? "")
    const entry = entries.get(key)
    switch (capability) {
      case "state.shared.get":
        return success(entry === undefined ? { found: false, version: null } : { found: true, ...shown(entry) })
      case "state.shared.set": {
        const expected = at(input, "expected_version")
        const actual = entry?.version ?? 0
        if (expected !== actual) {
          return failure({
            type: "VersionConflict",
            message: "somebody was faster",
            context: { key, expected_version: expected, actual_version: actual }
          })
        }
        write(key, at(input, "value"))
        return success({ version: versions.get(key) })
      }
      case "state.shared.delete":
        if (entry === undefined) return failure({ type: "KeyNotFound", message: "nothing", context: { key } })
        remove(key)
        return success({ deleted: true })
      case "state.shared.list": {
        const listed = [...entries].filter(([each]) => each.startsWith(prefix)).map(([each, found]) => {
          const { value: _, ...rest } = shown(found)
          return { key: each, size_bytes: 1, ...rest }
        })
        return success({ entries: listed, count: listed.length, total_size_bytes: listed.length })
      }
      case "state.shared.watch":
        watching.set(server, (watching.get(server) ?? new Set()).add(prefix))
        return success({ subscription_id: `sub-${watching.size}` })
      default:
        return failure({ type: "CapabilityNotFound", message: `There is no ${capability}` })
    }
  }

  const gateway = make(initialized((request, server) => {
    const { id, method, params } = request
    if (method !== "capabilities.invoke") {
      return server.refuse(id, { code: -32601, message: `There is no method ${method}` })
    }
    const capability = capabilityOf(request)
    if (instead?.(capability, request, server) === true) return
    server.answer(id, answer(capability, at(params, "arguments"), server))
  }, experimental))

  return {
    ...gateway,
    write,
    remove,
    tell,
    value: (key) => entries.get(key)?.value,
    invoked: (capability) =>
      gateway.connections.flatMap((connection) => requests(connection, "capabilities.invoke"))
        .filter((request) => capabilityOf(request) === capability)
  }
}

/** The state at a gateway, over a connection that ends with the scope. */
export const stateOf = (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) =>
  Effect.flatMap(linkTo(gateway, options), stateOver)

export const stateOver = (link: Link) =>
  Effect.map(servicesOver(link), ({ capabilities, provided }) => ({
    ...makeState(link, capabilities, capabilities, Duration.minutes(5)),
    link,
    provided
  }))

/** The arguments of an invocation. */
export const argumentsOf = (request: Asked | undefined): unknown =>
  Predicate.isRecord(request?.params) ? request.params["arguments"] : undefined
