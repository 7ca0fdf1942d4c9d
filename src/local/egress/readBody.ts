import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import * as zlib from "node:zlib"
import { ResourceExhausted } from "../../errors/general.js"
import { codeOf } from "../workspace/systemFailure.js"
import type { Incoming } from "./exchange.js"
import { NoAnswer } from "./failures.js"

/** How long the body of an answer may be, also when it is unpacked. */
export const mostBody = 10 * 1024 * 1024

const tooLong = () =>
  new ResourceExhausted({
    message: `The body of the answer is longer than ${mostBody} bytes: get it with network.download`,
    resource: "response body",
    limit: mostBody
  })

const whole = ({ headers, next }: Incoming): Effect.Effect<Uint8Array, NoAnswer | ResourceExhausted> =>
  Effect.gen(function*() {
    // An answer to HEAD says how long a body is that does not come.
    const announced = Number(headers["content-length"] ?? 0)
    const pieces: Array<Uint8Array> = []
    let size = 0
    for (let piece = yield* next; piece !== undefined; piece = yield* next) {
      size += piece.length
      if (size > mostBody || announced > mostBody) return yield* tooLong()
      pieces.push(piece)
    }
    return Buffer.concat(pieces, size)
  })

const unpackers = new Map([
  ["gzip", zlib.gunzip],
  ["x-gzip", zlib.gunzip],
  ["deflate", zlib.inflate],
  ["br", zlib.brotliDecompress]
])

const unpack = (encoding: string, bytes: Uint8Array) => {
  const unpacker = unpackers.get(encoding.trim().toLowerCase())
  if (unpacker === undefined || bytes.length === 0) return Effect.succeed(bytes)
  return Effect.async<Uint8Array, NoAnswer | ResourceExhausted>((resume) => {
    unpacker(bytes, { maxOutputLength: mostBody }, (cause, unpacked) => {
      if (cause === null) return resume(Effect.succeed(unpacked))
      resume(Effect.fail(
        codeOf(cause) === "ERR_BUFFER_TOO_LARGE"
          ? tooLong()
          : new NoAnswer({ reason: "broken_off", message: `The body is no ${encoding.trim()}`, sent: true, cause })
      ))
    })
  })
}

/** Reads the body of an answer, at most 10 MiB of it, and unpacks it where it came packed in spite of what was asked for. */
export const readBody = (incoming: Incoming): Effect.Effect<Uint8Array, NoAnswer | ResourceExhausted> =>
  Effect.flatMap(whole(incoming), (bytes) => unpack(incoming.headers["content-encoding"] ?? "", bytes))
