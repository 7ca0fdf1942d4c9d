import * as Predicate from "effect/Predicate"
import { builtIn } from "../catalogue/builtIn.js"
import type { Feature } from "../schema/Session.js"

// What waits for another machine, or for a program, takes as long as that does.
const slowTags = new Set(["egress", "email", "execute", "network", "slack"])

const slow: ReadonlySet<unknown> = new Set(
  Object.values(builtIn).filter(({ inputs, tags }) => "timeout" in inputs || tags.some((tag) => slowTags.has(tag))).map(
    ({ name }) => name
  )
)

const decidedByHumans: ReadonlySet<unknown> = new Set(
  Object.values(builtIn).filter(({ tier }) => tier === "approval_required").map(({ name }) => name)
)

const mayWait = (params: unknown, features: ReadonlySet<Feature> | undefined) =>
  Predicate.isRecord(params) && (
    slow.has(params["capability"]) || typeof params["hold_seconds"] === "number"
    // Such a gateway may answer when a human has decided, and not before.
    || (features?.has("approvals") === false && decidedByHumans.has(params["capability"]))
  )

/**
 * Whether a request to a gateway with such features may share a body with others, all of which are answered when the slowest of them
 * is. What has longer than usual goes alone, and what is known to wait: for a human, for another machine, for a program.
 */
export const isShareable = (
  method: string,
  params: unknown,
  features: ReadonlySet<Feature> | undefined,
  timeoutMillis: number,
  usualMillis: number
): boolean => timeoutMillis <= usualMillis && !method.startsWith("session.") && !mayWait(params, features)
