import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { IncomingMessage } from "node:http"
import { maximumFrameBytes } from "../../connection/Duplex.js"

/** The body is larger than a message may be. What is left of it is read by nobody. */
export class BodyTooLarge extends Data.TaggedError("BodyTooLarge")<{}> {}

/** The client went away in the middle of the body. */
export class BodyCut extends Data.TaggedError("BodyCut")<{}> {}

/**
 * Reads the body of a request, of at most 16 MiB unless told otherwise. The request stays as it is where that fails, so that it can be answered:
 * what the platform reads with would close the connection.
 */
export const requestBody = (
  request: IncomingMessage,
  maximumBytes: number = maximumFrameBytes
): Effect.Effect<string, BodyTooLarge | BodyCut> =>
  Effect.async((resume) => {
    if (Number(request.headers["content-length"] ?? 0) > maximumBytes) {
      return resume(new BodyTooLarge())
    }
    const chunks: Array<Buffer> = []
    let bytes = 0
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maximumBytes) settle(new BodyTooLarge())
      else chunks.push(chunk)
    }
    const onEnd = () => settle(Effect.sync(() => Buffer.concat(chunks).toString()))
    const onCut = () => settle(new BodyCut())
    const stop = () => request.off("data", onData).off("end", onEnd).off("error", onCut).off("close", onCut)
    const settle = (result: Effect.Effect<string, BodyTooLarge | BodyCut>) => {
      stop()
      resume(result)
    }
    request.on("data", onData).on("end", onEnd).on("error", onCut).on("close", onCut)
    return Effect.sync(stop)
  })
