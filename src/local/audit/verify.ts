import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AuditEntry, type AuditLogService } from "../store/AuditLog.js"
import { genesis, hashOf, type Head } from "./chain.js"

/** What is wrong with the log, at its first entry that is not as it was written. */
export interface Damage {
  /** The number of the entry. */
  readonly sequence: number
  /** `rewritten` is a log that is whole, and is not the one that an anchor was taken from. */
  readonly problem: "changed" | "missing" | "inserted" | "reordered" | "rewritten"
  readonly message: string
}

/** What a look at the whole log found. */
export interface Verification {
  /** How many entries are as they were written, from the first on. */
  readonly entries: number
  /** Where those end; to be kept elsewhere as an anchor. */
  readonly head: Head
  /** How many times the gateway could not write all entries, and said so in the log. */
  readonly gaps: number
  readonly damage: Option.Option<Damage>
}

const decodeEntry = Schema.decodeUnknownOption(AuditEntry)
const decodeNumbered = Schema.decodeUnknownOption(Schema.Struct({ sequence: Schema.Number }))

const pageSize = 500

const entriesText = (from: number, to: number) => from === to ? `entry ${from} is` : `entries ${from} to ${to} are`

const missing = (from: number, to: number): Damage => ({
  sequence: from,
  problem: "missing",
  message: `${entriesText(from, to)} missing`
})

const changed = (sequence: number, message = "is not as it was written"): Damage => ({
  sequence,
  problem: "changed",
  message: `entry ${sequence} ${message}`
})

const inserted = (sequence: number): Damage => ({
  sequence,
  problem: "inserted",
  message: `entry ${sequence} was inserted: it does not belong to the chain`
})

const isItself = ({ hash, ...entry }: AuditEntry, sequence = entry.sequence) => hashOf({ ...entry, sequence }) === hash

/** What may be the cause of an entry that does not follow the one before. */
const diagnose = (
  log: AuditLogService,
  head: Head,
  row: unknown
): Effect.Effect<Damage, SqlError> =>
  Effect.gen(function*() {
    const expected = head.sequence + 1
    const sequence = Option.match(decodeNumbered(row), { onNone: () => expected, onSome: (found) => found.sequence })
    const found = decodeEntry(row)
    if (sequence < expected) return inserted(sequence)
    // Where the entry has gone that belongs here, if it is somewhere else.
    const followers = (yield* log.rowsAfterHash(head.hash)).flatMap((one) => Option.toArray(decodeEntry(one)))
    const gone = followers.find((one) => one.sequence !== expected && isItself(one, expected))
    if (sequence > expected) {
      return gone === undefined
        ? missing(expected, sequence - 1)
        : changed(expected, `has been given the number ${gone.sequence}`)
    }
    if (Option.isNone(found)) return gone === undefined ? changed(expected) : inserted(expected)
    const entry = found.value
    const before = entry.previousHash === genesis.hash ? [0] : yield* log.withHash(entry.previousHash)
    const places = [expected - 1, expected + 1, ...before.flatMap((place) => [place, place + 1])]
    const place = places.find((place) => place !== expected && isItself(entry, place))
    if (gone !== undefined) {
      return place === undefined ? inserted(expected) : {
        sequence: expected,
        problem: "reordered",
        message: `entry ${expected} is not in its place: it has the number ${gone.sequence}`
      }
    }
    if (place !== undefined) return missing(expected, Math.max(expected, place - 1))
    return isItself(entry)
      ? changed(expected, "does not follow the one before it: one of the two was rewritten")
      : changed(expected)
  })

const againstAnchor = (anchor: Head, head: Head, at: string | undefined): Option.Option<Damage> => {
  if (anchor.sequence > head.sequence) return Option.some(missing(head.sequence + 1, anchor.sequence))
  if (at === anchor.hash) return Option.none()
  return Option.some({
    sequence: anchor.sequence,
    problem: "rewritten",
    message: `entry ${anchor.sequence} is not the one that the anchor was taken from: the log was rewritten up to it`
  })
}

const foundByGateway = ({ details, sequence }: AuditEntry): Damage => ({
  sequence,
  problem: "missing",
  message:
    `entry ${sequence} says that the log no longer ended where it had ended: it was cut off or rewritten (${details})`
})

/**
 * Looks at the whole log, in order: at the numbers, the hashes and the links, and at whether it holds what the anchors were taken
 * from. Stops at the first entry that is wrong.
 */
export const verify = (
  log: AuditLogService,
  anchors: ReadonlyArray<Head>
): Effect.Effect<Verification, SqlError> =>
  Effect.gen(function*() {
    let head = genesis
    let gaps = 0
    const atAnchors = new Map<number, string>([[genesis.sequence, genesis.hash]])
    const anchored = new Set(anchors.map(({ sequence }) => sequence))
    const found = (damage: Option.Option<Damage>): Verification => ({ entries: head.sequence, head, gaps, damage })
    // Also what somebody put in before the first.
    let behind = Number.MIN_SAFE_INTEGER
    while (true) {
      const rows = yield* log.rowsBehind(behind, pageSize)
      for (const row of rows) {
        const decoded = decodeEntry(row)
        const entry = Option.getOrUndefined(decoded)
        const follows = entry !== undefined && entry.sequence === head.sequence + 1 &&
          entry.previousHash === head.hash && isItself(entry)
        if (!follows) return found(Option.some(yield* diagnose(log, head, row)))
        if (entry.kind === "end_lost") return found(Option.some(foundByGateway(entry)))
        if (entry.kind === "entries_lost") gaps++
        head = { sequence: entry.sequence, hash: entry.hash }
        if (anchored.has(head.sequence)) atAnchors.set(head.sequence, head.hash)
      }
      if (rows.length < pageSize) break
      behind = head.sequence
    }
    const damages = anchors.flatMap((anchor) =>
      Option.toArray(againstAnchor(anchor, head, atAnchors.get(anchor.sequence)))
    )
    return found(Option.fromNullable(damages.sort((one, other) => one.sequence - other.sequence)[0]))
  })
