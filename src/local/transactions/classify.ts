import type { AnyCapability } from "../../catalogue/Capability.js"
import { isReplayable } from "../../catalogue/replayable.js"
import type { StateView } from "./StateView.js"
import type { Undo } from "./Undo.js"

/** What a transaction makes of a step. */
export type Kind =
  /** It runs in the transaction's view of the state. */
  | { readonly _tag: "InView"; readonly writes: boolean }
  /** It is undone by the journal. */
  | { readonly _tag: "Undoable"; readonly undo: Undo }
  /** There is nothing to undo. */
  | { readonly _tag: "Plain" }
  /** What it leaves running ends with a rollback. */
  | { readonly _tag: "Subscription" }
  /** Only its caller can undo it. */
  | { readonly _tag: "NotReversible" }

const subscriptions = new Set(["comms.subscribe", "filesystem.watch", "state.shared.watch"])

// The catalogue, which says what the appliance says, lists no side effects of these; they have some.
const withEffects = new Set(["email.bulk_delete", "network.credentialed_request", "proxy.cancel_write"])

export const classify = (
  capability: AnyCapability,
  view: StateView,
  undos: ReadonlyMap<string, Undo>
): Kind => {
  const { name, sideEffects } = capability
  if (subscriptions.has(name)) return { _tag: "Subscription" }
  if (view.holds(name)) return { _tag: "InView", writes: !isReplayable(capability) }
  const undo = undos.get(name)
  if (undo !== undefined) return { _tag: "Undoable", undo }
  return isReplayable(capability) || (sideEffects.length === 0 && !withEffects.has(name))
    ? { _tag: "Plain" }
    : { _tag: "NotReversible" }
}
