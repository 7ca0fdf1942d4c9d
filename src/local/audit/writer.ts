import type { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { ServiceUnavailable } from "../../errors/general.js"
import { letOthersRun } from "../letOthersRun.js"
import { type AuditLogService, batchSizes } from "../store/AuditLog.js"
import type { Fact, Head } from "./chain.js"
import { endLost, entriesLost } from "./facts.js"

/** Something to be written, which can still be changed until it is. */
export interface Note {
  fact: Fact
  /** Whether it is being written, or has been. */
  isTaken: boolean
}

/** Puts facts into the audit log, many in one transaction. */
export interface Writer {
  /** Waits until the fact is in the log. */
  readonly write: (fact: Fact) => Effect.Effect<void, ServiceUnavailable>
  /** Has it written within about 50 ms. While the store cannot be written, a bounded number waits, and the others are counted. */
  readonly note: (fact: Fact) => Note
  /** Where the log ended when this writer wrote last, or when it began. */
  readonly head: () => Option.Option<Head>
  /** How many entries wait to be written. */
  readonly waiting: () => number
}

interface Waiting extends Note {
  readonly size: number
  readonly done: Deferred.Deferred<void, ServiceUnavailable> | undefined
}

const noneLost = { count: 0, from: 0, to: 0 }

const mostWaiting = 4096
const mostBytes = 16 * 1024 * 1024
const enough = 64
const delay = "50 millis"
const pauseAfterFailure = "1 second"

// The columns besides the details are short.
const sizeOf = ({ details }: Fact) => details.length + 512

const unavailable = (cause?: unknown) =>
  new ServiceUnavailable({
    message: "The audit log cannot be written, and nothing that has effects runs without an entry in it",
    service: "store",
    cause
  })

const settle = (batch: ReadonlyArray<Waiting>, exit: Exit.Exit<void, ServiceUnavailable>) => {
  for (const { done } of batch) if (done !== undefined) Deferred.unsafeDone(done, exit)
}

/**
 * Makes a writer, which writes all that waits when the scope ends. `known` is where the log is known to have ended before.
 */
export const make = (
  log: AuditLogService,
  known: Option.Option<Head>
): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const some = Effect.unsafeMakeLatch(false)
    const urgent = Effect.unsafeMakeLatch(false)
    let waiting: Array<Waiting> = []
    let bytes = 0
    let awaited = 0
    let lost = noneLost
    let head = known
    let isFailing = false
    let isClosed = false

    const isUrgent = () => awaited > 0 || (!isFailing && waiting.length >= enough)

    const refreshLatches = () => {
      if (waiting.length === 0 && lost.count === 0) some.unsafeClose()
      else some.unsafeOpen()
      if (isUrgent()) urgent.unsafeOpen()
      else urgent.unsafeClose()
    }

    const isFull = () => isClosed || waiting.length >= mostWaiting || bytes >= mostBytes

    const add = (one: Waiting) => {
      waiting.push(one)
      bytes += one.size
      if (one.done !== undefined) awaited++
      refreshLatches()
    }

    const put = (batch: ReadonlyArray<Waiting>) => {
      waiting = [...batch]
      bytes = waiting.reduce((sum, { size }) => sum + size, 0)
      awaited = waiting.filter(({ done }) => done !== undefined).length
    }

    const take = (): ReadonlyArray<Waiting> => {
      const batch = waiting.splice(0, batchSizes.find((size) => size <= waiting.length))
      for (const one of batch) {
        one.isTaken = true
        bytes -= one.size
        if (one.done !== undefined) awaited--
      }
      return batch
    }

    // What somebody waits for does not happen then; what was only noted has happened, and is tried again.
    const failed = (batch: ReadonlyArray<Waiting>, cause: Cause.Cause<SqlError>) =>
      Effect.suspend(() => {
        const all = [...batch, ...waiting]
        put(all.filter(({ done }) => done === undefined))
        settle(all, Exit.fail(unavailable(cause)))
        if (isFailing) return Effect.void
        isFailing = true
        return Effect.logWarning("The audit log cannot be written: what has effects does not run until it can", cause)
      })

    const written = (batch: ReadonlyArray<Waiting>, end: Head, told: number) =>
      Effect.suspend(() => {
        head = Option.some(end)
        lost = lost.count === told ? noneLost : { ...lost, count: lost.count - told }
        settle(batch, Exit.void)
        if (!isFailing) return Effect.void
        isFailing = false
        return Effect.logInfo("The audit log can be written again")
      })

    const flush = Effect.suspend(() => {
      const batch = take()
      const told = lost
      const now = clock.unsafeCurrentTimeMillis()
      const facts = [...(told.count === 0 ? [] : [entriesLost(now, told)]), ...batch.map(({ fact }) => fact)]
      if (facts.length === 0) return Effect.void
      return Effect.matchCauseEffect(log.append(facts, head, (before) => endLost(now, before)), {
        onFailure: (cause) => failed(batch, cause),
        onSuccess: (end) => written(batch, end, told.count)
      })
    }).pipe(Effect.zipRight(Effect.sync(refreshLatches)), Effect.uninterruptible)

    const loop = Effect.gen(function*() {
      yield* some.await
      if (!isUrgent()) yield* Effect.timeoutOption(urgent.await, isFailing ? pauseAfterFailure : delay)
      // All that is about to be written goes along: what other fibers and sockets have ready by now.
      yield* awaited > 0 ? letOthersRun : Effect.yieldNow()
      yield* flush
    })

    const close = Effect.gen(function*() {
      yield* Effect.repeat(flush, { while: () => waiting.length > 0 && !isFailing })
      isClosed = true
      const count = waiting.length + lost.count
      if (count > 0) {
        yield* Effect.logError(`${count} entries of the audit log were lost: it could not be written`)
      }
    })

    yield* Effect.addFinalizer(() => close)
    yield* Effect.forkScoped(Effect.forever(loop))

    // Without a deadline: the writer always goes on, and the store lets no statement wait for long.
    const write: Writer["write"] = (fact) =>
      Effect.suspend(() => {
        if (isFull()) return Effect.fail(unavailable())
        const done = Deferred.unsafeMake<void, ServiceUnavailable>(FiberId.none)
        add({ fact, size: sizeOf(fact), isTaken: false, done })
        return Deferred.await(done)
      })

    const note: Writer["note"] = (fact) => {
      const one: Waiting = { fact, size: sizeOf(fact), isTaken: isFull(), done: undefined }
      if (one.isTaken) {
        const now = clock.unsafeCurrentTimeMillis()
        lost = { count: lost.count + 1, from: lost.count === 0 ? now : lost.from, to: now }
        refreshLatches()
      } else {
        add(one)
      }
      return one
    }

    return { write, note, head: () => head, waiting: () => waiting.length }
  })
