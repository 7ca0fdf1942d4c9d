import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Deadlines from "../../connection/Deadlines.js"
import type { Duplex } from "../../connection/Duplex.js"
import { encodeNotification, type RpcId } from "../../connection/jsonRpc.js"
import { InvalidInput } from "../../errors/general.js"
import { currentProgress, ProgressListeners, type ProgressReport } from "../progress.js"
import { type Refusal, refuseError } from "./Refusal.js"

// How often a call's counts are told.
const intervalMillis = 100

// How many bytes may wait for a client before it is told no more of progress.
const mostUnsentBytes = 1024 * 1024

const longestMessage = 65_536

const longestToken = 1000

/** What a call has been given for whoever wants to know how far it is. */
export interface Reporting {
  /** Runs the call with it. */
  readonly during: (call: Effect.Effect<unknown, Refusal>) => Effect.Effect<unknown, Refusal>
  /** Tells what is still to be told: the answer follows. */
  readonly finish: () => void
  /** Tells nothing from now on. */
  readonly stop: () => void
}

/** What tells a client how far its calls are. */
export interface Progress {
  /** Looks whether a request asks for it. */
  readonly begin: (id: RpcId, method: string, params: unknown) => Reporting | undefined
  /** Tells nothing more of the request. */
  readonly stop: (id: RpcId) => void
}

type Token = string | number

const isToken = (value: unknown): value is Token =>
  (typeof value === "string" && value.length <= longestToken) || (typeof value === "number" && Number.isFinite(value))

const malformedToken = refuseError(
  new InvalidInput({
    message: `_meta.progressToken is neither a number nor a string of at most ${longestToken} characters`,
    field: "_meta.progressToken"
  })
)

const refusing: Reporting = {
  during: () => Effect.fail(malformedToken),
  finish: () => {},
  stop: () => {}
}

const tokenIn = (params: unknown): unknown => {
  if (!Predicate.isRecord(params)) return undefined
  const meta = params["_meta"]
  return Predicate.isRecord(meta) ? meta["progressToken"] : undefined
}

/** What the calls of one connection share. */
interface Connection {
  readonly now: () => number
  readonly isFull: () => boolean
  readonly send: (token: Token, report: ProgressReport) => void
  /** Has `flush` called when the call's `dueAt` has come. */
  readonly waits: (call: Call) => void
  readonly ended: (call: Call) => void
}

class Call implements Reporting {
  readonly id: RpcId
  readonly #token: Token
  readonly #connection: Connection
  /** When the next count may be told. */
  dueAt = -Infinity
  #isOver = false
  #reached = -Infinity
  #count: ProgressReport | undefined = undefined
  #lost = 0
  #lastLost: ProgressReport | undefined = undefined

  constructor(id: RpcId, token: Token, connection: Connection) {
    this.id = id
    this.#token = token
    this.#connection = connection
  }

  during(call: Effect.Effect<unknown, Refusal>) {
    return Effect.locally(call, currentProgress, new ProgressListeners((report) => this.#take(report)))
  }

  finish() {
    if (this.#isOver) return
    this.#tellLost()
    if (this.#count !== undefined) this.#send(this.#count)
    this.stop()
  }

  stop() {
    if (this.#isOver) return
    this.#isOver = true
    this.#connection.ended(this)
  }

  /** Tells the count that waits; or goes on waiting, where there is no room for it. */
  flush(now: number) {
    const count = this.#count
    if (count === undefined) return
    this.dueAt = now + intervalMillis
    if (this.#connection.isFull()) return this.#connection.waits(this)
    this.#count = undefined
    this.#send(count)
  }

  #take(report: ProgressReport) {
    if (this.#isOver || !Number.isFinite(report.progress) || report.progress <= this.#reached) return
    this.#reached = report.progress
    if (report.message === undefined) return this.#takeCount(report)
    // It says how far the call is, too.
    this.#count = undefined
    if (this.#connection.isFull()) {
      this.#lost++
      this.#lastLost = report
      return
    }
    this.dueAt = this.#connection.now() + intervalMillis
    this.#send(report)
  }

  #takeCount(report: ProgressReport) {
    const isWaiting = this.#count !== undefined
    this.#count = report
    if (isWaiting) return
    const now = this.#connection.now()
    if (now >= this.dueAt) this.flush(now)
    else this.#connection.waits(this)
  }

  #send(report: ProgressReport) {
    this.#tellLost()
    this.#connection.send(this.#token, report)
  }

  #tellLost() {
    const last = this.#lastLost
    if (last === undefined) return
    const message = `${this.#lost} messages are left out: they came faster than they were read`
    this.#lost = 0
    this.#lastLost = undefined
    this.#connection.send(this.#token, { ...last, message })
  }
}

const paramsOf = (progressToken: Token, { message, progress, total }: ProgressReport) => ({
  progressToken,
  progress,
  total: total !== undefined && Number.isFinite(total) ? total : undefined,
  message: message?.slice(0, longestMessage)
})

/**
 * Makes what tells the client of a connection how far those of its invocations are that carry a progress token. Counts are told at
 * most ten times a second for each, the newest at the end before the answer; messages as they come. While more than 1 MiB is unsent
 * counts wait, and messages are counted instead.
 */
export const make = Effect.fnUntraced(function*({ bufferedBytes, send }: Pick<Duplex, "bufferedBytes" | "send">) {
  const clock = yield* Effect.clock
  const calls = new Map<RpcId, Call>()
  const waiting = new Set<Call>()
  const deadlines = yield* Deadlines.make(clock, (now) => {
    let next = Infinity
    for (const call of waiting) {
      if (call.dueAt > now) next = Math.min(next, call.dueAt)
      else {
        waiting.delete(call)
        // One that goes on waiting comes again at the end of the loop.
        call.flush(now)
      }
    }
    return next
  })
  const connection: Connection = {
    now: () => clock.unsafeCurrentTimeMillis(),
    isFull: () => bufferedBytes() > mostUnsentBytes,
    send: (token, report) => void send(encodeNotification("notifications/progress", paramsOf(token, report))),
    waits: (call) => {
      waiting.add(call)
      deadlines.added(call.dueAt)
    },
    ended: (call) => {
      waiting.delete(call)
      calls.delete(call.id)
    }
  }
  const progress: Progress = {
    begin: (id, method, params) => {
      if (method !== "capabilities.invoke" && method !== "tools/call") return undefined
      const token = tokenIn(params)
      if (token === undefined || token === null) return undefined
      if (!isToken(token)) return refusing
      const call = new Call(id, token, connection)
      calls.set(id, call)
      return call
    },
    stop: (id) => calls.get(id)?.stop()
  }
  return progress
})
