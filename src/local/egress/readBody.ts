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
    // Copied: a host that sends single bytes would make more of each than it is.
    let bytes = Buffer.alloc(16 * 1024)
    let size = 0
    for (let piece = yield* next; piece !== undefined; piece = yield* next) {
      const end = size + piece.length
      if (end > mostBody || announced > mostBody) return yield* tooLong()
      if (end > bytes.length) bytes = Buffer.concat([bytes], Math.max(end, 2 * bytes.length))
      bytes.set(piece, size)
      size = end
    }
    return bytes.subarray(0, size)
  })

const unpackers = new Map([
  ["gzip", zlib.gunzip],
  ["x-gzip", zlib.gunzip],
  ["deflate", zlib.inflate],
  ["br", zlib.brotliDecompress]
])

/** Whether a body that is packed like this is unpacked when it is read. */
export const isUnpacked = (encoding: string | undefined): boolean => {
  const name = (encoding ?? "").trim().toLowerCase()
  return name === "" || name === "identity" || unpackers.has(name)
}

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
