import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { floodOf, makeParser, type Piece } from "./faultProxyFrames.js"
import type { Direction, Fault } from "./faultProxyScript.js"

/** What a flow can do to the connection that it is part of. */
export interface Valves {
  /** A feature of the gateway that its client does not get to know of. */
  readonly hides: string | undefined
  /** Whether faults still happen. */
  readonly isHealed: () => boolean
  /** Does what is due now: a cut, a blackhole, a stall, a half-open socket. */
  readonly strike: (fault: Fault) => void
  /** The side that this flow reads from has ended: politely, or by a reset. */
  readonly ended: (direction: Direction, reset: boolean) => void
}

/** One direction of a connection. */
export interface Flow {
  /** Forwards until the source ends. */
  readonly run: Effect.Effect<void>
  /** Forwards nothing more, for good; what comes is read all the same. */
  readonly lose: () => void
  readonly isLost: () => boolean
  /** Keeps what comes from now on, until `release`. */
  readonly hold: () => void
  readonly release: () => void
  /** How many bytes are being held now. */
  readonly held: () => number
  /** Says something as if the source had said it, after all that came before. */
  readonly inject: (bytes: Buffer) => void
  /** How many bytes have been forwarded. */
  readonly forwarded: () => number
  /** Does something when so many bytes have been forwarded in all, before the next one is. */
  readonly when: (bytes: number, act: () => void) => void
}

interface Deadline {
  readonly at: number
  readonly act: () => void
}

const ofTag = <Tag extends Fault["_tag"]>(faults: ReadonlyArray<Fault>, tag: Tag) =>
  faults.filter((fault): fault is Extract<Fault, { readonly _tag: Tag }> => fault._tag === tag)

const write = (socket: Socket, bytes: Buffer): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (socket.destroyed || bytes.length === 0) return resume(Effect.void)
    // An error is told to whoever listens to the socket.
    socket.write(bytes, () => resume(Effect.void))
  })

// Another name of the same length, so that the frame stays as it is.
const hide = (feature: string, bytes: Buffer) => {
  const start = bytes.indexOf(`"${feature}":`)
  if (start >= 0) bytes.write("_".repeat(feature.length), start + 1)
}

/** What the faults about frames make of the frames to a client. */
const makeFrames = (faults: ReadonlyArray<Fault>, { hides, isHealed }: Valves) => {
  const parser = makeParser()
  const [duplicate] = ofTag(faults, "Duplicate")
  const [reorder] = ofTag(faults, "Reorder")
  const floods = ofTag(faults, "Flood")
  let kept: Array<Buffer> = []
  let keptUntil = Infinity
  let count = 0

  const release = (): ReadonlyArray<Buffer> => {
    const all = kept.reverse()
    kept = []
    keptUntil = Infinity
    return all
  }

  const data = (bytes: Buffer, now: number): ReadonlyArray<Buffer> => {
    count++
    if (count === 1 && hides !== undefined) hide(hides, bytes)
    if (isHealed()) return [...release(), bytes]
    const due = floods.filter(({ afterFrames }) => count === afterFrames + 1)
    const said = due.map(({ kind, messages }) => floodOf(kind, messages, bytes))
    const copies = duplicate !== undefined && count % duplicate.every === 0 ? [bytes, bytes] : [bytes]
    if (reorder === undefined) return [...said, ...copies]
    kept.push(...said, ...copies)
    keptUntil = Math.min(keptUntil, now + reorder.milliseconds)
    return kept.length > reorder.window ? release() : []
  }

  const passed = ({ _tag, bytes }: Piece, now: number): ReadonlyArray<Buffer> => {
    if (_tag === "Data") return data(bytes, now)
    // Nothing may follow a close; pings and pongs overtake.
    const isClose = _tag === "Control" && (bytes.readUInt8(0) & 0x0f) === 8
    return isClose ? [...release(), bytes] : [bytes]
  }

  return {
    push: (chunk: Buffer, now: number) => parser.push(chunk).flatMap((piece) => passed(piece, now)),
    /** When what is kept has to go on, and what it is. */
    due: () => keptUntil,
    release,
    end: () => [...release(), parser.rest()]
  }
}

const pieces = (bytes: Buffer, size: number): ReadonlyArray<Buffer> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

/** Splits the first pieces into tiny ones. */
const makeTrickle = (faults: ReadonlyArray<Fault>) => {
  const [trickle] = faults
  let left = trickle?._tag === "Trickle" ? trickle.pieces : 0
  return (bytes: Buffer): ReadonlyArray<Buffer> => {
    if (trickle?._tag !== "Trickle" || left === 0) return [bytes]
    const tiny = pieces(bytes.subarray(0, left * trickle.bytes), trickle.bytes)
    left -= tiny.length
    const rest = bytes.subarray(tiny.length * trickle.bytes)
    return rest.length === 0 ? tiny : [...tiny, rest]
  }
}

/** Makes the flow of one direction. */
export const makeFlow = (
  direction: Direction,
  from: Socket,
  to: Socket,
  allFaults: ReadonlyArray<Fault>,
  valves: Valves
): Flow => {
  const { ended, isHealed, strike } = valves
  const faults = allFaults.filter((fault) => !("direction" in fault) || fault.direction === direction)
  const frames = direction === "toClient" ? makeFrames(faults, valves) : undefined
  const trickled = makeTrickle(ofTag(faults, "Trickle"))
  const delays = ofTag(faults, "Delay")
  const truncations = ofTag(faults, "Truncate")
  const strikes: Array<Deadline> = []
  const when: Flow["when"] = (bytes, act) => {
    strikes.push({ at: bytes, act })
    strikes.sort((one, other) => one.at - other.at)
  }
  const striking = [
    ...ofTag(faults, "Cut"),
    ...ofTag(faults, "Blackhole"),
    ...ofTag(faults, "HalfOpen"),
    ...ofTag(faults, "Stall")
  ]
  for (const fault of striking) when(fault.afterBytes, () => strike(fault))

  const awake = Effect.unsafeMakeLatch(false)
  const open = Effect.unsafeMakeLatch(true)
  const injected: Array<Buffer> = []
  let isLost = false
  let isReset = false
  let isHolding = false
  let held = 0
  let forwarded = 0
  let chunks = 0

  const pass = (bytes: number) =>
    Effect.suspend(() => {
      held += bytes
      return Effect.ensuring(open.await, Effect.sync(() => void (held -= bytes)))
    })

  const writeOn = (bytes: Buffer): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isLost) return Effect.void
      forwarded += bytes.length
      return write(to, bytes)
    })

  const put = (bytes: Buffer): Effect.Effect<void> =>
    Effect.suspend(() => {
      const [next] = strikes
      if (isLost) return Effect.void
      if (next === undefined || isHealed() || forwarded + bytes.length < next.at) return writeOn(bytes)
      strikes.shift()
      const before = Math.max(0, next.at - forwarded)
      return writeOn(bytes.subarray(0, before)).pipe(
        Effect.zipRight(Effect.sync(next.act)),
        Effect.zipRight(pass(bytes.length - before)),
        Effect.zipRight(put(bytes.subarray(before)))
      )
    })

  // The jitter comes from the number of the chunk, so that a schedule delays alike whenever it is run.
  const delay = Effect.suspend(() => {
    const [fault] = delays
    return fault === undefined || isHealed()
      ? Effect.void
      : Effect.sleep(fault.milliseconds + (chunks * 7919) % (fault.jitter + 1))
  })

  const deliver = Effect.fnUntraced(function*(chunk: Buffer) {
    if (chunk.length === 0) return
    yield* pass(chunk.length)
    yield* delay
    const truncation = isHealed() ? undefined : truncations.find((fault) => fault.chunk === chunks)
    chunks++
    if (truncation !== undefined) {
      yield* put(chunk.subarray(0, truncation.keep))
      return strike(truncation)
    }
    for (const piece of trickled(chunk)) {
      yield* put(piece)
      if (piece.length < chunk.length) yield* Effect.yieldNow()
    }
  })

  const wake = () => awake.unsafeOpen()
  const failed = () => {
    isReset = true
  }

  const wait = Effect.suspend(() => {
    const due = frames?.due() ?? Infinity
    return due === Infinity
      ? awake.await
      : Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => Effect.raceFirst(awake.await, Effect.sleep(Math.max(1, due - now)))
      )
  })

  const step = Effect.gen(function*() {
    yield* wait
    awake.unsafeClose()
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const chunk: unknown = from.read()
      const isChunk = Buffer.isBuffer(chunk)
      if (isChunk) yield* deliver(frames === undefined ? chunk : Buffer.concat(frames.push(chunk, now)))
      if (frames !== undefined && frames.due() <= now) yield* deliver(Buffer.concat(frames.release()))
      for (const bytes of injected.splice(0)) yield* deliver(bytes)
      if (!isChunk) return
    }
  })

  const run = Effect.gen(function*() {
    from.on("readable", wake).on("end", wake).on("close", wake).on("error", failed)
    wake()
    while (!from.readableEnded && !from.destroyed) yield* step
    if (frames !== undefined) yield* deliver(Buffer.concat(frames.end()))
    ended(direction, isReset)
  })

  return {
    run,
    lose: () => {
      isLost = true
      open.unsafeOpen()
    },
    isLost: () => isLost,
    hold: () => {
      isHolding = true
      open.unsafeClose()
    },
    release: () => {
      isHolding = false
      open.unsafeOpen()
    },
    held: () => isHolding ? held + from.readableLength : 0,
    inject: (bytes) => {
      injected.push(bytes)
      wake()
    },
    forwarded: () => forwarded,
    when
  }
}
