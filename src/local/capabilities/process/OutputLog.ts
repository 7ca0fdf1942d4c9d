import { Buffer } from "node:buffer"

/** How much of a stream is kept, in bytes; and how much of its end besides, for the last lines. */
const kept = 1024 * 1024
const keptOfEnd = 64 * 1024

const marker = "\n[truncated]"

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x80 && byte < 0xc0

// How many bytes before a place belong to a character that goes on there, and how many the character has.
const brokenAt = (bytes: Uint8Array, at: number): { readonly before: number; readonly length: number } | undefined => {
  for (let before = 1; before <= Math.min(3, at); before++) {
    const byte = bytes[at - before] ?? 0
    if (byte < 0x80 || byte >= 0xf8) return undefined
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > before ? { before, length } : undefined
  }
  return undefined
}

// How many bytes at the end belong to a character that is not whole yet.
const unfinished = (bytes: Uint8Array): number => brokenAt(bytes, bytes.length)?.before ?? 0

// A character belongs to the part that it begins in, so that nothing is lost between parts, whichever way their offsets are counted.
const behindCharacter = (bytes: Uint8Array, at: number): number => {
  const broken = at < bytes.length ? brokenAt(bytes, at) : undefined
  if (broken === undefined) return at
  const end = at - broken.before + broken.length
  let next = at
  while (next < end && isContinuation(bytes[next])) next++
  return next === end ? end : at
}

// How many bytes at the beginning belong to a character that began before.
const restOfCharacter = (bytes: Uint8Array): number => {
  let begin = 0
  while (begin < 3 && isContinuation(bytes[begin])) begin++
  return begin
}

/** A part of a stream. */
export interface Part {
  readonly text: string
  /** Whether there is more behind it, kept or not. */
  readonly isCut: boolean
}

/** What a program wrote to a stream: the first MiB of it, how much there was, and the end. */
export class OutputLog {
  #chunks: Array<Uint8Array> = []
  #keptBytes = 0
  #size = 0
  #end: Uint8Array = new Uint8Array(0)
  #isOver = false

  readonly add = (bytes: Uint8Array): void => {
    this.#size += bytes.length
    const room = kept - this.#keptBytes
    if (room > 0) {
      // A copy, because what comes from a pipe may be a small part of a large buffer.
      const taken = Uint8Array.from(bytes.subarray(0, room))
      this.#chunks.push(taken)
      this.#keptBytes += taken.length
    }
    if (this.#keptBytes < this.#size) {
      this.#end = Uint8Array.from(Buffer.concat([this.#end, bytes.subarray(-keptOfEnd)]).subarray(-keptOfEnd))
    }
  }

  /** Nothing more will come. */
  readonly close = (): void => {
    this.#isOver = true
  }

  readonly #all = (): Uint8Array => {
    // Many small chunks take more memory than what is in them.
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? new Uint8Array(0)
  }

  readonly #isTruncated = (): boolean => this.#keptBytes < this.#size

  /** How much there was so far, in bytes; but for a character that has not come whole. */
  readonly size = (): number => this.#isOver || this.#isTruncated() ? this.#size : this.#size - unfinished(this.#all())

  /** How many bytes are kept in memory. */
  readonly keptBytes = (): number => this.#keptBytes + this.#end.length

  /**
   * What is kept, from a byte on: the characters that begin there or behind, and before the limit. Where it ends with the last byte kept and
   * there was more, it says so.
   */
  readonly part = (offset: number, limit: number | undefined): Part => {
    const size = this.size()
    const all = this.#all()
    const available = this.#isTruncated() ? this.#keptBytes - unfinished(all) : Math.min(size, this.#keptBytes)
    const until = limit === undefined ? available : Math.min(available, behindCharacter(all, offset + limit))
    const from = limit === 0 ? until : Math.min(behindCharacter(all, offset), until)
    const text = Buffer.from(all.subarray(from, until)).toString("utf8")
    const isAtEndOfKept = this.#isTruncated() && until === available && offset <= available
    return { text: isAtEndOfKept && limit === undefined ? text + marker : text, isCut: until < size && offset < size }
  }

  /** The last lines, as far as they fit into 64 KiB. */
  readonly lastLines = (count: number): string => {
    if (count === 0) return ""
    const source = this.#isTruncated() ? this.#end : this.#all().subarray(-keptOfEnd)
    const isWhole = source.length === this.#size
    const text = Buffer.from(source.subarray(isWhole ? 0 : restOfCharacter(source))).toString("utf8")
    const ending = text.endsWith("\n") ? "\n" : ""
    const lines = text.slice(0, text.length - ending.length).split("\n")
    const last = lines.slice(-count)
    // The first of them may be a part of a line.
    const shown = isWhole || last.length < lines.length || last.length === 1 ? last : last.slice(1)
    return shown.join("\n") + ending
  }
}
