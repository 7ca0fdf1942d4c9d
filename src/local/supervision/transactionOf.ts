import type { SupervisionEvent } from "./SupervisionEvent.js"

/** A transaction, and the outermost one around it, which may be itself. */
export interface EventTransaction {
  readonly id: string
  readonly root: string
}

/** The transaction that an event is about, or about a step of. */
export const transactionOf = ({ data }: SupervisionEvent): EventTransaction | undefined => {
  const { root_transaction_id: root, transaction_id: id } = data
  if (typeof id !== "string" || id === "") return undefined
  return { id, root: typeof root === "string" && root !== "" ? root : id }
}

/** The id of a transaction in eight characters at most, which tell it from those around it. */
export const shortId = (id: string): string => id.replace(/^[a-z]+-/, "").slice(0, 8)
