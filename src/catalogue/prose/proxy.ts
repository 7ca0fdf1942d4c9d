import type { Proses } from "../Prose.js"
import type * as entries from "../proxy.js"

type Proxy = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

/** The words of `proxy.*`. */
export const proxy: Proses<Proxy> = {
  "proxy.cancel_write": {
    purpose: "Stops a buffered write, such as an e-mail that waits to be sent, before it is carried out.",
    whenToUse: "Use it to take back email.send, email.delete, email.move, slack.send or slack.reply while its buffer " +
      "lasts: 5 minutes for a mail, 30 seconds in Slack. Afterwards it is too late.",
    inputs: { write_id: "The write_id that the write answered with." },
    outputs: {
      cancelled: "Whether the write was stopped.",
      write_id: "The id of the write.",
      status: "cancelled; completed when it was carried out before; not_found when there is no such write."
    },
    errors: {
      WriteNotFound: "The gateway knows no write of yours with this id.",
      WriteAlreadyExecuted: "The buffer is over and the service has the write."
    },
    sideEffects: [],
    commonPatterns: [{
      description: "Correct a message that was sent too early",
      steps: ["proxy.cancel_write with the write_id of the old one", "If cancelled, email.send of the corrected one"]
    }]
  },
  "proxy.list_writes": {
    purpose: "Lists your writes to mail and Slack: what still waits in the buffer, and what became of the rest.",
    whenToUse: "Use it to find the write_id of something to cancel, or to see whether a message went out or failed.",
    inputs: { status: "Only writes in this state; all for every one." },
    outputs: {
      writes: "The writes: service, operation, status, until when each is buffered, and whether it can be cancelled.",
      total: "How many there are."
    },
    errors: { DatabaseError: "The list of writes could not be read." },
    sideEffects: [],
    commonPatterns: [
      {
        description: "Stop all that has not gone out yet",
        steps: ["proxy.list_writes", "proxy.cancel_write of each that is cancellable"]
      },
      { description: "Look for trouble", steps: ["proxy.list_writes with status failed"] }
    ]
  }
}
