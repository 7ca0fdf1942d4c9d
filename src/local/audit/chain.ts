import { hash } from "node:crypto"

/** What the audit log says of one thing that happened, but for its place in the log. */
export interface Fact {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly kind: string
  readonly agent: string | null
  readonly sessionId: string | null
  readonly capability: string | null
  readonly tier: string | null
  readonly rule: string | null
  readonly approvalId: string | null
  readonly idempotencyKey: string | null
  /** A JSON object. */
  readonly details: string
}

/** An entry before it has its hash. */
export interface Unsealed extends Fact {
  /** 1, 2, 3 … without gaps. */
  readonly sequence: number
  /** The hash of the entry before it. */
  readonly previousHash: string
}

/** Where the log ends, or ended: what it held then can be told from it. */
export interface Head {
  readonly sequence: number
  readonly hash: string
}

/** The end of a log that holds nothing. */
export const genesis: Head = { sequence: 0, hash: "0".repeat(64) }

/**
 * What is hashed of an entry: its columns by their names, in canonical JSON (RFC 8785). Names in this order, text without half
 * characters and whole numbers are written by JSON.stringify just so, in a quarter of the time.
 */
export const canonicalForm = (entry: Unsealed): string =>
  JSON.stringify({
    agent: entry.agent,
    approval_id: entry.approvalId,
    at: entry.at,
    capability: entry.capability,
    details: entry.details,
    idempotency_key: entry.idempotencyKey,
    kind: entry.kind,
    previous_hash: entry.previousHash,
    rule: entry.rule,
    sequence: entry.sequence,
    session_id: entry.sessionId,
    tier: entry.tier
  })

/** The hash of an entry, in hexadecimal. */
export const hashOf = (entry: Unsealed): string => hash("sha256", canonicalForm(entry), "hex")

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text)

const wellFormed = (text: string): string => text.replaceAll("\0", "\uFFFD").replaceAll(/\p{Surrogate}/gu, "\uFFFD")

/** Text as it comes back from a column: without NUL characters and half characters. */
export const columnText = (text: string | null | undefined): string | null =>
  text === null || text === undefined ? null : isPlain(text) ? text : wellFormed(text)
