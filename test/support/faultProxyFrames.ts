import type { FloodKind } from "./faultProxyScript.js"

/** A whole frame of a WebSocket, or bytes outside of any: the answer to the upgrade, or what comes after one that was refused. */
export interface Piece {
  readonly _tag: "Data" | "Control" | "Raw"
  readonly bytes: Buffer
}

const headEnd = Buffer.from("\r\n\r\n")

const switching = "HTTP/1.1 101"

/** How long the frame at the start of these bytes is; undefined while that cannot be told yet. */
const frameLength = (bytes: Buffer): number | undefined => {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  if (short < 126) return 2 + short
  if (short === 126) return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2)
  return bytes.length < 10 ? undefined : 10 + Number(bytes.readBigUInt64BE(2))
}

/** Cuts what a server sends into the answer to the upgrade and whole frames. */
export interface Parser {
  readonly push: (chunk: Buffer) => ReadonlyArray<Piece>
  /** What is left that is no whole frame. */
  readonly rest: () => Buffer
}

export const makeParser = (): Parser => {
  let state: "head" | "frames" | "raw" = "head"
  let parts: Array<Buffer> = []
  let size = 0
  let needed = 0

  const take = (): Buffer => {
    const all = Buffer.concat(parts)
    parts = []
    size = 0
    return all
  }

  const keep = (bytes: Buffer, until: number) => {
    parts = bytes.length === 0 ? [] : [bytes]
    size = bytes.length
    needed = until
  }

  const frames = (bytes: Buffer): ReadonlyArray<Piece> => {
    const pieces: Array<Piece> = []
    let start = 0
    while (true) {
      const left = bytes.subarray(start)
      const length = frameLength(left)
      if (length === undefined || left.length < length) {
        keep(left, length ?? 0)
        return pieces
      }
      const isControl = (left.readUInt8(0) & 0x08) !== 0
      pieces.push({ _tag: isControl ? "Control" : "Data", bytes: left.subarray(0, length) })
      start += length
    }
  }

  const head = (bytes: Buffer): ReadonlyArray<Piece> => {
    const end = bytes.indexOf(headEnd)
    if (end < 0) {
      keep(bytes, 0)
      return []
    }
    if (bytes.toString("latin1", 0, switching.length) !== switching) {
      state = "raw"
      return [{ _tag: "Raw", bytes }]
    }
    state = "frames"
    const start = end + headEnd.length
    return [{ _tag: "Raw", bytes: bytes.subarray(0, start) }, ...frames(bytes.subarray(start))]
  }

  return {
    push: (chunk) => {
      if (state === "raw") return [{ _tag: "Raw", bytes: chunk }]
      parts.push(chunk)
      size += chunk.length
      if (size < needed) return []
      return state === "head" ? head(take()) : frames(take())
    },
    rest: take
  }
}

const opcodes = { text: 1, binary: 2, reserved: 3 }

const frame = (opcode: number, payload: Buffer): Buffer => {
  const size = payload.length
  const head = Buffer.alloc(size < 126 ? 2 : size < 65_536 ? 4 : 10)
  head.writeUInt8(0x80 | opcode, 0)
  head.writeUInt8(size < 126 ? size : size < 65_536 ? 126 : 127, 1)
  if (head.length === 4) head.writeUInt16BE(size, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(size), 2)
  return Buffer.concat([head, payload])
}

/** A text as a frame from a server. */
export const textFrame = (text: string): Buffer => frame(opcodes.text, Buffer.from(text))

type Values = ReadonlyArray<unknown>

const cycle = (values: Values, index: number): unknown => values[index % values.length]

// What a client that took it for the answer to a call of its own would hand on as content.
const stranger = { success: true, data: { content: "of somebody else", path: "/workspace/of-somebody-else" } }

const strangersIds: Values = [0, "0", "1", "2", -1, 1.5, null, 4_000_000_001, "", "3"]

const answers = (index: number): unknown => {
  const id = cycle(strangersIds, index)
  const answer = { jsonrpc: "2.0", id, result: stranger }
  const batched = [{ jsonrpc: "2.0", id: cycle([2, 3, 4], index), result: stranger }]
  return cycle([answer, { jsonrpc: "2.0", id, error: { code: -32000, message: "of somebody else" } }, batched], index)
}

const requests = (index: number): unknown => ({
  jsonrpc: "2.0",
  id: cycle([index, `${index}`], index),
  method: cycle(["ping", "sampling/createMessage"], index)
})

const garbage: Values = [
  "",
  "{",
  "null",
  "[]",
  "{}",
  "0",
  "\u0000",
  "[[[[",
  "{\"jsonrpc\":\"1.0\",\"id\":2,\"result\":{}}"
]

// Long frames need not be repeated as often as short ones.
const mostRepeated = 2 * 1024 * 1024

/** What a flood of a kind says; `last` is the frame that has just come. */
export const floodOf = (kind: FloodKind, messages: number, last: Buffer): Buffer => {
  const many = (frameAt: (index: number) => Buffer) =>
    Buffer.concat(Array.from({ length: messages }, (_, i) => frameAt(i)))
  switch (kind) {
    case "notifications":
      return many((index) =>
        textFrame(JSON.stringify({ jsonrpc: "2.0", method: "notifications/nobody-knows", params: { index } }))
      )
    case "answers":
      return many((index) => textFrame(JSON.stringify(answers(index))))
    case "requests":
      return many((index) => textFrame(JSON.stringify(requests(index))))
    case "garbage":
      return many((index) => textFrame(String(cycle(garbage, index))))
    case "binary":
      return many((index) => frame(opcodes.binary, Buffer.from([index & 0xff])))
    case "repeats":
      return Buffer.concat(
        Array.from({ length: Math.min(messages, Math.ceil(mostRepeated / last.length)) }, () => last)
      )
    case "broken":
      return frame(opcodes.reserved, Buffer.from("broken"))
  }
}
