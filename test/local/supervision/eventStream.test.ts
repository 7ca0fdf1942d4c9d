import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Stream from "effect/Stream"
import { events, type ReaderOptions, type ServerSentEvent } from "../../../src/local/supervision/eventStream.js"
import { parameters } from "../../support/runs.js"

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Cuts bytes at these places, in any order; empty pieces stay. */
const cutAt = (bytes: Uint8Array, places: ReadonlyArray<number>) => {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((one, other) => one - other), bytes.length]
  return cuts.slice(1).map((end, index) => bytes.slice(cuts[index], end))
}

const readAll = (pieces: ReadonlyArray<Uint8Array>, options?: ReaderOptions) =>
  Effect.runSync(Effect.either(Effect.map(
    Stream.runCollect(events(Stream.fromIterable(pieces), options)),
    Chunk.toReadonlyArray
  )))

const read = (text: string): ReadonlyArray<ServerSentEvent> => Either.getOrThrow(readAll([bytesOf(text)]))

const lineEnd = FastCheck.constantFrom("\n", "\r\n", "\r")

const text = FastCheck.string({ unit: "binary" }).map((value) =>
  value.replaceAll(/[\r\n\0\ud800-\udfff\ufeff]/g, "é😀")
)

/** A part of a stream and what it means: an event, or nothing to a reader. */
const part = FastCheck.oneof(
  {
    weight: 4,
    arbitrary: FastCheck.record({
      type: FastCheck.option(text.filter((value) => value !== "")),
      id: FastCheck.option(text),
      data: FastCheck.array(text, { minLength: 1, maxLength: 3 }),
      space: FastCheck.constantFrom("", " ")
    })
  },
  { weight: 1, arbitrary: FastCheck.constantFrom(": comment", "retry: 1000", "unknown: field", "event: lost", "") }
)

describe("the reader of server-sent events", () => {
  it("reads what was written, however it is cut", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(part, { maxLength: 8 }),
        lineEnd,
        FastCheck.array(FastCheck.nat(), { maxLength: 30 }),
        (parts, end, places) => {
          const expected: Array<ServerSentEvent> = []
          let last: string | undefined
          const lines = parts.flatMap((written) => {
            if (typeof written === "string") return [written, ""]
            const { data, id, space, type } = written
            last = id ?? last
            expected.push({ type: type ?? "message", data: data.join("\n"), id: last })
            // Without a space behind the colon, one that the value begins with would be taken for it.
            const colon = (value: string) => value.startsWith(" ") ? ": " : `:${space}`
            return [
              ...(type === null ? [] : [`event${colon(type)}${type}`]),
              ...(id === null ? [] : [`id${colon(id)}${id}`]),
              ...data.map((value) => value === "" ? "data" : `data${colon(value)}${value}`),
              ""
            ]
          })
          const whole = bytesOf(lines.map((line) => `${line}${end}`).join(""))
          assert.deepStrictEqual(Either.getOrThrow(readAll([whole])), expected)
          assert.deepStrictEqual(Either.getOrThrow(readAll(cutAt(whole, places))), expected)
          assert.deepStrictEqual(Either.getOrThrow(readAll(Array.from(whole, (byte) => Uint8Array.of(byte)))), expected)
        }
      ),
      parameters(500)
    )
  })

  it("gives an event as soon as it is complete, also where its end of line is cut", () => {
    const seen: Array<string> = []
    Effect.runSync(Stream.runForEach(
      events(
        Stream.map(Stream.make("data: 1\r\n\r", "\ndata: 2\r\n\r\n", "data: 3"), (piece) => {
          seen.push(`piece ${piece.at(-1)}`)
          return bytesOf(piece)
        }).pipe(Stream.rechunk(1))
      ),
      ({ data }) => Effect.sync(() => seen.push(data))
    ))
    assert.deepStrictEqual(seen.filter((item) => !item.startsWith("piece")), ["1", "2"])
  })

  it("follows the standard where the stream is odd", () => {
    assert.deepStrictEqual(read("\ufeffdata: a\n\n"), [{ type: "message", data: "a", id: undefined }])
    assert.deepStrictEqual(read("id: 1\n\ndata: a\n\n"), [{ type: "message", data: "a", id: "1" }])
    assert.deepStrictEqual(read("id: 1\ndata: a\n\nid\ndata: b\n\n").map(({ id }) => id), ["1", ""])
    assert.deepStrictEqual(read("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n").map(({ id }) => id), ["1", "1"])
    assert.deepStrictEqual(read("event: x\n\ndata: a\n\n")[0]?.type, "message")
    assert.deepStrictEqual(read("data\n\n:\n\ndata\ndata\n\n").map(({ data }) => data), ["", "\n"])
    assert.deepStrictEqual(read("data:  two spaces\n data: no field\n\n").map(({ data }) => data), [" two spaces"])
    assert.deepStrictEqual(read("data: without an end\n"), [])
  })

  it("gives places in their order where they are asked for", () => {
    const stream = bytesOf("id: 1\n\nid: 2\nevent: x\ndata: a\n\n: still here\nid: 3\n\n: comment\n\ndata: b\n\n")
    assert.deepStrictEqual(Either.getOrThrow(readAll([stream], { withPlaces: true })), [
      { type: "", data: "", id: "1" },
      { type: "x", data: "a", id: "2" },
      { type: "", data: "", id: "3" },
      { type: "message", data: "b", id: "3" }
    ])
    assert.deepStrictEqual(Either.getOrThrow(readAll([stream])).map(({ id }) => id), ["2", "3"])
  })

  it("gives up an event that is too long, in one line or in many", () => {
    const fits = "x".repeat(100)
    assert.deepStrictEqual(
      Either.getOrThrow(readAll([bytesOf(`data:${fits}\n\n`)], { maximumLength: 105 }))[0]?.data,
      fits
    )
    const streams = [`data: ${fits}${fits}`, `data: x\n`.repeat(100), `: ${fits}${fits}`]
    for (const stream of streams) {
      for (const pieces of [[bytesOf(stream)], Array.from(bytesOf(stream), (byte) => Uint8Array.of(byte))]) {
        const failure = Either.getOrThrow(Either.flip(readAll(pieces, { maximumLength: 105 })))
        assert.strictEqual(failure._tag, "EventTooLong")
        assert.include(failure.message, "105")
      }
    }
  })
})
