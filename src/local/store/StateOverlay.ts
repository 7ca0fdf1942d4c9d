import * as FiberRef from "effect/FiberRef"
import { ResourceExhausted } from "../../errors/general.js"
import {
  type Change,
  type Difference,
  type Limits,
  liveVersion,
  nextVersion,
  type Place,
  plus,
  type Standing,
  type Stored,
  versionsKept,
  type Write
} from "./stateWrites.js"

/** How many writes an outermost transaction may have, with those of all savepoints. */
export const mostWrites = 1000

/** How many bytes of values these may have. */
export const mostWriteBytes = 16 * 1024 * 1024

/** What an overlay makes of a key. */
export interface Own {
  /** What was below when it was written first: the live version, 0 for none, and the number that was next. */
  readonly below: { readonly version: number; readonly next: number }
  /** Whether the versions below are gone, because the key was removed. */
  readonly hidesBelow: boolean
  /** The versions below that newer ones have pushed out. */
  readonly pushedOut: ReadonlyArray<number>
  /** The versions that are kept of those that it has written, the oldest first. */
  readonly versions: ReadonlyArray<Stored>
  readonly last: Write
}

/** A write with what the store needs for it at the commit. */
export interface Logged {
  readonly write: Write
  readonly limits: Limits
  readonly committed: ((change: Change) => void) | undefined
}

const bytesIn = ({ write }: Logged) => write._tag === "Stored" ? write.size : 0

const joined = (lower: Own | undefined, upper: Own): Own => {
  if (lower === undefined) return upper
  if (upper.hidesBelow) return { ...upper, below: lower.below }
  const kept = lower.versions.filter(({ version }) => !upper.pushedOut.includes(version))
  const pushedOut = upper.pushedOut.filter((version) => !lower.versions.some((own) => own.version === version))
  return {
    ...lower,
    pushedOut: [...lower.pushedOut, ...pushedOut],
    versions: [...kept, ...upper.versions],
    last: upper.last
  }
}

const next = (own: Own | undefined, now: Standing, { write }: Logged): Own => {
  const below = own?.below ?? { version: liveVersion(now), next: nextVersion(now) }
  if (write._tag === "Removed") return { below, hidesBelow: true, pushedOut: [], versions: [], last: write }
  const { hidesBelow, pushedOut, versions } = own ?? { hidesBelow: false, pushedOut: [], versions: [] }
  if (!write.pushesOut) return { below, hidesBelow, pushedOut, versions: [...versions, write], last: write }
  const oldest = write.version - versionsKept
  const kept = versions.filter(({ version }) => version !== oldest)
  return {
    below,
    hidesBelow,
    pushedOut: kept.length < versions.length ? pushedOut : [...pushedOut, oldest],
    versions: [...kept, write],
    last: write
  }
}

/**
 * What a transaction has written of the state and not committed, or a savepoint over the overlay around it. Nothing of it is in the
 * store.
 */
export class StateOverlay {
  readonly below: StateOverlay | undefined
  readonly #keys = new Map<string, Map<string, Own>>()
  readonly #differences = new Map<string, Difference>()
  readonly #log: Array<Logged> = []
  readonly #total: { writes: number; bytes: number }
  #hasEnded = false

  constructor(below?: StateOverlay) {
    this.below = below
    this.#total = below === undefined ? { writes: 0, bytes: 0 } : below.#total
  }

  /** The writes in their order, without those of the overlays around. */
  get log(): ReadonlyArray<Logged> {
    return this.#log
  }

  get hasEnded(): boolean {
    return this.#hasEnded || (this.below !== undefined && this.below.hasEnded)
  }

  /** The keys that it has written itself. */
  *written(): Iterable<readonly [Place, Own]> {
    for (const [space, keys] of this.#keys) for (const [key, own] of keys) yield [{ space, key }, own]
  }

  /** What it and the overlays around make of a key, if they do. */
  of(place: Place): Own | undefined {
    const lower = this.below?.of(place)
    const own = this.#keys.get(place.space)?.get(place.key)
    return own === undefined ? lower : joined(lower, own)
  }

  /** The same for all keys that begin with a prefix. */
  inRange(space: string, prefix: string): Map<string, Own> {
    const found = this.below?.inRange(space, prefix) ?? new Map<string, Own>()
    for (const [key, own] of this.#keys.get(space) ?? []) {
      if (key.startsWith(prefix)) found.set(key, joined(found.get(key), own))
    }
    return found
  }

  /** What it makes of each space, alone. */
  differences(): ReadonlyMap<string, Difference> {
    return this.#differences
  }

  /** What it and the overlays around make of a space. */
  allDifferences(space: string): Difference {
    return plus(this.below?.allDifferences(space), this.#differences.get(space))
  }

  /** Why nothing more may be written, if it may not. */
  refusal(bytes: number): ResourceExhausted | undefined {
    if (this.#total.writes >= mostWrites) {
      return new ResourceExhausted({
        message: `A transaction writes the state ${mostWrites} times at most`,
        resource: "transaction_writes",
        limit: mostWrites,
        current: this.#total.writes
      })
    }
    return this.#total.bytes + bytes <= mostWriteBytes ? undefined : new ResourceExhausted({
      message: `The values that a transaction writes have ${mostWriteBytes} bytes at most`,
      resource: "transaction_bytes",
      limit: mostWriteBytes,
      current: this.#total.bytes
    })
  }

  /** Adds a write that was decided as things stand. */
  add(logged: Logged, now: Standing): void {
    const { difference, place: { key, space } } = logged.write
    const keys = this.#keys.get(space) ?? new Map<string, Own>()
    this.#keys.set(space, keys.set(key, next(keys.get(key), now, logged)))
    this.#differences.set(space, plus(this.#differences.get(space), difference))
    this.#log.push(logged)
    this.#total.writes++
    this.#total.bytes += bytesIn(logged)
  }

  /** Gives all that it has to the overlay around, and ends. */
  merge(): void {
    const { below } = this
    if (below === undefined) return
    for (const [{ key, space }, own] of this.written()) {
      const keys = below.#keys.get(space) ?? new Map<string, Own>()
      below.#keys.set(space, keys.set(key, joined(keys.get(key), own)))
    }
    for (const [space, difference] of this.#differences) {
      below.#differences.set(space, plus(below.#differences.get(space), difference))
    }
    for (const logged of this.#log) below.#log.push(logged)
    this.end()
  }

  /** Ends: what it had is somewhere else. */
  end(): void {
    this.#hasEnded = true
    this.#log.length = 0
    this.#keys.clear()
    this.#differences.clear()
  }

  /** Forgets all, and ends. */
  drop(): void {
    this.#total.writes -= this.#log.length
    for (const logged of this.#log) this.#total.bytes -= bytesIn(logged)
    this.end()
  }
}

/** What a handler works on that runs inside a transaction. */
export interface Inside {
  readonly overlay: StateOverlay
  /** Why the transaction may write nothing more, once it has tried. */
  refusal: ResourceExhausted | undefined
}

/** Where all reading and writing of the state by a fiber goes, if not to the store. */
export const current: FiberRef.FiberRef<Inside | undefined> = FiberRef.unsafeMake<Inside | undefined>(undefined)
