import { CloseCode, type CloseInfo, type Duplex, type DuplexHandlers } from "./Duplex.js"

interface End {
  readonly duplex: Duplex
  readonly deliver: (text: string) => void
  readonly end: (info: CloseInfo) => void
}

const aborted: CloseInfo = { code: CloseCode.abnormal, reason: "" }

const makeEnd = (other: () => End): End => {
  let handlers: DuplexHandlers | undefined
  let closed: CloseInfo | undefined
  const waiting: Array<string> = []
  const end = (info: CloseInfo) => {
    if (closed !== undefined) return
    closed = info
    handlers?.onClose(info)
  }
  return {
    deliver: (text) => {
      if (closed !== undefined) return
      if (handlers === undefined) waiting.push(text)
      else handlers.onText(text)
    },
    end,
    duplex: {
      send: (text) => {
        if (closed !== undefined) return false
        queueMicrotask(() => other().deliver(text))
        return true
      },
      bufferedBytes: () => 0,
      close: (code, reason) => {
        if (closed !== undefined) return
        const info = { code, reason }
        queueMicrotask(() => other().end(info))
        end(info)
      },
      abort: () => {
        queueMicrotask(() => other().end(aborted))
        end(aborted)
      },
      // What is in the same process is alive.
      ping: () => handlers?.onPong(),
      listen: (given) => {
        handlers = given
        for (const text of waiting.splice(0)) given.onText(text)
        if (closed !== undefined) given.onClose(closed)
      }
    }
  }
}

/**
 * Two ends of a duplex in memory. A frame arrives in a later microtask, as text, so that both ends go the way they go
 * over a socket.
 */
export const makePair = (): readonly [Duplex, Duplex] => {
  const left: End = makeEnd(() => right)
  const right: End = makeEnd(() => left)
  return [left.duplex, right.duplex]
}
