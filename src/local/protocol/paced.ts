import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { Duplex as NodeDuplex } from "node:stream"
import type { WebSocket } from "ws"
import { CloseCode, type Duplex, maximumFrameBytes } from "../../connection/Duplex.js"

// How many bytes may wait for a client before the gateway reads no more of what it asks.
const highWater = maximumFrameBytes

// How many may wait before the connection is ended: answers to what had been asked by then.
const maximumUnread = 8 * maximumFrameBytes

const tooSlow = `more than ${
  maximumUnread / 1024 / 1024
} MiB of answers are unread: read faster, or ask for less at a time`

/** A duplex that is read no further than its client reads, and that ends when the client leaves too much unread. */
export interface Paced {
  readonly duplex: Duplex
  /** Done when the connection has been closed for that, with the number of unread bytes. */
  readonly cut: Deferred.Deferred<number>
}

/** Paces the duplex of a socket, which both lie over the given stream. */
export const paced = (duplex: Duplex, webSocket: WebSocket, stream: NodeDuplex): Paced => {
  const cut = Deferred.unsafeMake<number>(FiberId.none)
  let isCut = false
  stream.on("drain", () => webSocket.resume())
  const cutOff = (unread: number) => {
    isCut = true
    webSocket.close(CloseCode.tryAgainLater, tooSlow)
    // Else the client's own goodbye could not be heard.
    webSocket.resume()
    Deferred.unsafeDone(cut, Exit.succeed(unread))
  }
  return {
    cut,
    duplex: {
      ...duplex,
      send: (text) => {
        const sent = duplex.send(text)
        const unread = stream.writableLength
        if (unread <= highWater || isCut) return sent
        if (unread > maximumUnread) cutOff(unread)
        else webSocket.pause()
        return sent
      },
      listen: (handlers) =>
        duplex.listen({
          ...handlers,
          onText: (text) => {
            if (!isCut) handlers.onText(text)
          }
        })
    }
  }
}
