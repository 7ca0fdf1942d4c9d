import * as Predicate from "effect/Predicate"
import { builtIn } from "../catalogue/builtIn.js"

// What waits for another machine, or for a program, takes as long as that does.
const slowTags = new Set(["egress", "email", "execute", "network", "slack"])

const slow: ReadonlySet<unknown> = new Set(
  Object.values(builtIn).filter(({ inputs, tags }) => "timeout" in inputs || tags.some((tag) => slowTags.has(tag))).map(
    ({ name }) => name
  )
)

const mayWait = (params: unknown) =>
  Predicate.isRecord(params) && (slow.has(params["capability"]) || typeof params["hold_seconds"] === "number")

/**
 * Whether a request may share a body with others, all of which are answered when the slowest of them is. What has longer than
 * usual goes alone, and what is known to wait: for a human, for another machine, for a program.
 */
export const isShareable = (method: string, params: unknown, timeoutMillis: number, usualMillis: number): boolean =>
  timeoutMillis <= usualMillis && !method.startsWith("session.") && !mayWait(params)
