import * as Effect from "effect/Effect"
import { react, removeReact } from "../../../catalogue/slack.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import { type Ask, know, notUndone, type Plan, type Undo, type UndoContext, undone } from "./Knowledge.js"

interface Reaction {
  readonly channel: string
  readonly ts: string
  readonly reaction: string
}

// A reaction that was there already makes the step fail, so that one that succeeded has made it.
const lost = Effect.succeed(notUndone("its answer was lost, and nothing tells whether the reaction is its own"))

const planWith = (opposite: (ask: Ask, input: Reaction) => Effect.Effect<unknown, KruxosError>) =>
(
  { channel, reaction, ts }: Reaction,
  { ask }: UndoContext
): Effect.Effect<Plan<unknown>> => {
  const undo: Undo = Effect.as(opposite(ask, { channel, ts, reaction }), undone)
  return Effect.succeed({
    size: 0,
    ended: ({ _tag }) => Effect.succeed(_tag === "Failed" ? undefined : _tag === "Unknown" ? lost : undo)
  })
}

/** How reactions are undone: each by the other. */
export const slackReactions = [
  know(react, { plan: planWith((ask, input) => ask("slack.remove_react", input)) }),
  know(removeReact, { plan: planWith((ask, input) => ask("slack.react", input)) })
]
