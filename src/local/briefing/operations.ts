import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type { Entry } from "../store/AgentActivity.js"
import { resolve } from "../workspace/pathForm.js"

/** What an agent did, from its entries in the audit log. `arguments` is empty where the log does not hold them. */
export interface Operation {
  readonly at: number
  readonly agent: string
  readonly capability: string
  /** Whether it succeeded; undefined where it is not over, or was cut off. */
  readonly succeeded: boolean | undefined
  readonly arguments: { readonly [name: string]: unknown }
}

const parsed = (text: string): { readonly [name: string]: unknown } => {
  try {
    const value: unknown = JSON.parse(text)
    return Predicate.isReadonlyRecord(value) ? value : {}
  } catch {
    // An entry that somebody changed may hold anything.
    return {}
  }
}

/** What was done, from entries in their order. What has an entry for its begin and one for its end is one operation. */
export const operationsOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<Operation> => {
  const found = new Map<string, Operation>()
  for (const { agent, approvalId, at, capability, details, kind, sequence, sessionId } of entries) {
    if (agent === null || capability === null) continue
    const { arguments: given, invocation, outcome } = parsed(details)
    const isNumbered = typeof invocation === "number"
    const key = isNumbered ? `${sessionId ?? approvalId} ${invocation}` : `${sequence}`
    const input = Predicate.isReadonlyRecord(given) ? given : {}
    switch (kind) {
      case "invocation_started":
        found.set(key, { at, agent, capability, succeeded: undefined, arguments: input })
        break
      case "invocation":
        found.set(key, { at, agent, capability, succeeded: outcome === "success", arguments: input })
        break
      case "invocation_ended":
      case "approval_carried_out": {
        const begun = found.get(key)
        found.set(key, { ...(begun ?? { at, agent, capability, arguments: {} }), succeeded: outcome === "success" })
        break
      }
    }
  }
  return [...found.values()]
}

/** What happened to a path: `made` where nothing was before, `put` whether or not something was. */
export interface PathEvent {
  readonly path: string
  readonly event: "seen" | "made" | "put" | "appended" | "removed"
}

const placed = (overwrite: unknown) => overwrite === true ? "put" : "made"

/** What a successful operation on files says of paths, as agents see them; in order. */
export const pathEventsOf = ({ arguments: input, capability }: Operation): ReadonlyArray<PathEvent> => {
  const event = (path: unknown, event: PathEvent["event"]): ReadonlyArray<PathEvent> => {
    // A long path is not kept in the log.
    const resolved = typeof path === "string" ? Either.getOrUndefined(resolve(path)) : undefined
    return resolved === undefined ? [] : [{ path: resolved.display, event }]
  }
  switch (capability) {
    case "filesystem.read":
    case "filesystem.edit":
      return event(input["path"], "seen")
    case "filesystem.write":
      return event(input["path"], "put")
    case "filesystem.append":
      return event(input["path"], "appended")
    case "filesystem.copy":
      return [...event(input["source"], "seen"), ...event(input["destination"], placed(input["overwrite"]))]
    case "filesystem.move":
      return [...event(input["source"], "removed"), ...event(input["destination"], placed(input["overwrite"]))]
    case "filesystem.delete":
      return event(input["path"], "removed")
    default:
      return []
  }
}
