import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"

/** Why a duplex ended: the WebSocket close code, and the reason that came with it. */
export interface CloseInfo {
  readonly code: number
  readonly reason: string
}

/** What a duplex calls; each synchronously, so that no fiber is needed per frame. */
export interface DuplexHandlers {
  readonly onText: (text: string) => void
  readonly onBinary: () => void
  /** The other side has answered a `ping`. */
  readonly onPong: () => void
  readonly onClose: (info: CloseInfo) => void
}

/**
 * Two-way text frames, in order: a WebSocket, or a pair in memory. Nothing here throws. Once either side has begun to
 * close, `send` does nothing and returns false. Frames that arrive before `listen` wait for it.
 */
export interface Duplex {
  readonly send: (text: string) => boolean
  /** How many bytes have been given to `send` that the other side's machine has not taken yet. */
  readonly bufferedBytes: () => number
  /**
   * Whether, of the bytes that were buffered when this was asked last, the other side has taken some: a sign of life of one that
   * has not come to answer a `ping` yet.
   */
  readonly hasTakenBytes?: () => boolean
  readonly close: (code: number, reason: string) => void
  /** Ends at once, without asking the other side. */
  readonly abort: () => void
  /** Asks for a sign of life below the frames, where the platform can. */
  readonly ping: (() => void) | undefined
  readonly listen: (handlers: DuplexHandlers) => void
}

/** Opens a duplex to a gateway; closing the scope closes it. */
export type Dial = Effect.Effect<Duplex, ConnectionFailed | AuthenticationFailed, Scope.Scope>

/** Close codes of RFC 6455 that this package sends or reads; nobody sends 1005 and 1006. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  unsupportedData: 1003,
  noStatus: 1005,
  abnormal: 1006,
  policyViolation: 1008,
  messageTooBig: 1009,
  tryAgainLater: 1013
} as const

/** The largest frame that either side accepts, in bytes: 16 MiB. */
export const maximumFrameBytes = 16 * 1024 * 1024

const mostBytesPerCharacter = 3

const encoder = new TextEncoder()

/** The length of a text in UTF-8. */
export const byteLength: (text: string) => number = typeof Buffer === "undefined"
  ? (text) => encoder.encode(text).length
  : (text) => Buffer.byteLength(text)

/** Whether a text goes into one frame. Counts bytes only where the number of characters does not tell. */
export const fitsInFrame = (text: string): boolean =>
  text.length * mostBytesPerCharacter <= maximumFrameBytes ||
  (text.length <= maximumFrameBytes && byteLength(text) <= maximumFrameBytes)
