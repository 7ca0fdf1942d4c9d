import * as Effect from "effect/Effect"
import { move, remove, send as sendMail } from "../../../catalogue/email.js"
import { reply, send } from "../../../catalogue/slack.js"
import { type Ask, know, notUndone, type Plan, type Undo, type UndoContext, undone } from "./Knowledge.js"

const cancel = (ask: Ask, writeId: string): Undo =>
  Effect.map(
    ask("proxy.cancel_write", { write_id: writeId }),
    ({ cancelled, status }) =>
      cancelled || status === "cancelled" ? undone : notUndone(`it could not be cancelled: the gateway says ${status}`)
  )

const lost = Effect.succeed(notUndone("its answer was lost, and with it the id to cancel it with"))

/** What the gateway holds back for some time can be cancelled until then. */
const plan = (
  _input: unknown,
  { ask }: UndoContext
): Effect.Effect<Plan<{ readonly write_id: string }>> =>
  Effect.succeed({
    size: 0,
    ended: (outcome) => {
      switch (outcome._tag) {
        case "Failed":
          return Effect.succeed(undefined)
        case "Unknown":
          return Effect.succeed(lost)
        case "Done":
          return Effect.succeed(cancel(ask, outcome.output.write_id))
      }
    }
  })

/** How mail that is not on its way yet is undone. A draft cannot be: no capability deletes one. */
export const email = [know(sendMail, { plan }), know(remove, { plan }), know(move, { plan })]

/** How messages that are not posted yet are undone. */
export const slackMessages = [know(send, { plan }), know(reply, { plan })]
