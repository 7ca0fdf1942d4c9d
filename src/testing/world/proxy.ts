import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Catalogue from "../../catalogue/Catalogue.js"
import { cancelWrite, listWrites } from "../../catalogue/proxy.js"
import { WriteAlreadyExecuted, WriteNotFound } from "../../errors/proxy.js"
import { registerAll, type Registration } from "../../local/capabilities/Handler.js"
import type { Entry, Outbox, OutgoingStatus } from "./Outbox.js"

const statuses = { held: "buffered", sent: "completed", cancelled: "cancelled" } as const satisfies {
  readonly [status in OutgoingStatus]: string
}

const shown = ({ capability, status, write }: Entry) => {
  const [service = capability, ...operation] = capability.split(".")
  return write === undefined ? [] : [{
    write_id: write.writeId,
    service,
    operation: operation.join("."),
    status: statuses[status],
    buffer_until: DateTime.unsafeMake(write.until),
    cancellable: status === "held"
  }]
}

/** The capabilities of the service proxy, over what is in the outbox. */
export const proxyRegistrations = (outbox: Outbox): ReadonlyArray<Registration> =>
  registerAll(Catalogue.make(cancelWrite, listWrites), {
    "proxy.cancel_write": ({ write_id }, { agent }) =>
      Effect.gen(function*() {
        const found = Option.getOrUndefined(yield* outbox.cancel(agent.name, write_id))
        if (found === undefined) {
          return yield* new WriteNotFound({ message: `There is no write ${write_id}`, writeId: write_id })
        }
        if (found === "sent") {
          return yield* new WriteAlreadyExecuted({ message: `${write_id} is sent already`, writeId: write_id })
        }
        return { cancelled: found === "held", write_id, status: "cancelled" as const }
      }),

    "proxy.list_writes": ({ status }, { agent }) =>
      Effect.map(outbox.entries, (entries) => {
        const writes = entries
          .filter((entry) => entry.agent === agent.name)
          .flatMap(shown)
          .filter((write) => status === "all" || write.status === status)
        return { writes, total: writes.length }
      })
  })
