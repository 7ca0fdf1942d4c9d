import type { StateOwner } from "../../client/Client.js"

/** Whose state a part of the page's address names: `shared`, or `agent` and the name. */
export const ownerOf = (detail: ReadonlyArray<string>, agents: ReadonlyArray<string>): StateOwner => {
  const [kind, name] = detail
  if (kind === "agent" && name !== undefined) return { shared: false, agent: name }
  const [first] = agents
  return kind === "shared" || first === undefined ? { shared: true } : { shared: false, agent: first }
}

/** The part of the page's address that names it. */
export const detailOf = (owner: StateOwner): ReadonlyArray<string> => owner.shared ? ["shared"] : ["agent", owner.agent]
