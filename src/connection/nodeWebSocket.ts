import type { RawData, WebSocket } from "ws"
import { type CloseInfo, type Duplex, type DuplexHandlers } from "./Duplex.js"

type Event =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Binary" | "Pong" }
  | { readonly _tag: "Close"; readonly info: CloseInfo }

const textOf = (data: RawData): string =>
  Array.isArray(data)
    ? Buffer.concat(data).toString()
    : Buffer.isBuffer(data)
    ? data.toString()
    : Buffer.from(data).toString()

const hand = (event: Event, handlers: DuplexHandlers) => {
  switch (event._tag) {
    case "Text":
      return handlers.onText(event.text)
    case "Binary":
      return handlers.onBinary()
    case "Pong":
      return handlers.onPong()
    case "Close":
      return handlers.onClose(event.info)
  }
}

/** A WebSocket of the `ws` package as a duplex; to be made before the socket can have received anything. */
export const duplexOf = (socket: WebSocket): Duplex => {
  let handlers: DuplexHandlers | undefined
  const waiting: Array<Event> = []
  const on = (event: Event) => handlers === undefined ? waiting.push(event) : hand(event, handlers)
  socket.on("message", (data, isBinary) => on(isBinary ? { _tag: "Binary" } : { _tag: "Text", text: textOf(data) }))
  socket.on("close", (code, reason) => on({ _tag: "Close", info: { code, reason: reason.toString() } }))
  socket.on("pong", () => on({ _tag: "Pong" }))
  // An error is always followed by a close, which says what there is to say.
  socket.on("error", () => {})
  return {
    send: (text) => {
      if (socket.readyState !== socket.OPEN) return false
      socket.send(text)
      return true
    },
    close: (code, reason) => socket.close(code, reason),
    abort: () => socket.terminate(),
    ping: () => {
      if (socket.readyState === socket.OPEN) socket.ping()
    },
    listen: (given) => {
      handlers = given
      for (const event of waiting.splice(0)) hand(event, given)
    }
  }
}
