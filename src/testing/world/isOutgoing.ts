import type { AnyCapability } from "../../catalogue/Capability.js"

// What no tag tells of.
const outgoing: ReadonlySet<string> = new Set(["alerts.send"])

/** Whether a gateway holds it back for some time, so that it can be cancelled. */
export const isBuffered = ({ tags }: Pick<AnyCapability, "tags">): boolean => tags.includes("buffered")

/** Whether it sends something to others: a message, a mail, an alert. */
export const isOutgoing = (capability: Pick<AnyCapability, "name" | "tags">): boolean =>
  isBuffered(capability) || outgoing.has(capability.name) ||
  (capability.tags.includes("messaging") && !capability.tags.includes("read"))
