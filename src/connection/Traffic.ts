import { byteLength, type Duplex } from "./Duplex.js"

/** Told how large messages are, in bytes. */
export interface Traffic {
  readonly sent: (bytes: number) => void
  readonly received: (bytes: number) => void
}

/** A duplex that tells how large its frames are. */
export const counted = (duplex: Duplex, traffic: Traffic): Duplex => ({
  ...duplex,
  send: (text) => {
    const isSent = duplex.send(text)
    if (isSent) traffic.sent(byteLength(text))
    return isSent
  },
  listen: (handlers) =>
    duplex.listen({
      ...handlers,
      onText: (text) => {
        traffic.received(byteLength(text))
        handlers.onText(text)
      }
    })
})
