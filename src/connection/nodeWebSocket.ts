import * as Predicate from "effect/Predicate"
import type { Socket } from "node:net"
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

// What of a write the system has not taken yet, as Node's own idle timer looks at it.
const unwritten = (stream: Socket): number => {
  const handle: unknown = Reflect.get(stream, "_handle")
  const size = Predicate.hasProperty(handle, "writeQueueSize") ? handle.writeQueueSize : undefined
  return typeof size === "number" ? size : 0
}

const bytesTaken = (stream: Socket): number => stream.bytesWritten - stream.writableLength - unwritten(stream)

/** Tells, each time it is asked, whether what was buffered the last time has become less since. */
const progressOf = (stream: () => Socket | undefined, bufferedBytes: () => number) => {
  let last = { taken: 0, buffered: 0 }
  return () => {
    const before = last
    const source = stream()
    if (source === undefined) return false
    last = { taken: bytesTaken(source), buffered: bufferedBytes() }
    return before.buffered > 0 && last.taken !== before.taken
  }
}

/**
 * To be called before each frame: the first of a tick goes out at once, and all others of that tick in one write after it. A write
 * costs more than making what is in it.
 */
const makeCork = (stream: () => Socket | undefined) => {
  let hasWritten = false
  let corked: Socket | undefined
  const tickIsOver = () => {
    hasWritten = false
    corked?.uncork()
    corked = undefined
  }
  return () => {
    if (corked !== undefined) return
    if (hasWritten) {
      corked = stream()
      corked?.cork()
      return
    }
    hasWritten = true
    process.nextTick(tickIsOver)
  }
}

/**
 * A WebSocket of the `ws` package as a duplex; to be made before the socket can have received anything. A server gives the stream
 * below it; a client's own tells when it is there.
 */
export const duplexOf = (socket: WebSocket, stream?: Socket): Duplex => {
  let handlers: DuplexHandlers | undefined
  let below = stream
  const bufferedBytes = () => socket.bufferedAmount
  const cork = makeCork(() => below)
  socket.once("upgrade", (response) => {
    below = response.socket
  })
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
      cork()
      socket.send(text)
      return true
    },
    bufferedBytes,
    hasTakenBytes: progressOf(() => below, bufferedBytes),
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
