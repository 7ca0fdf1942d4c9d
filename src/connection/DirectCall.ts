import * as Effect from "effect/Effect"
import type { CallOptions, Channel, ChannelFailure, Link, Question } from "./Link.js"
import { outcomeOf } from "./Meter.js"
import type { RequestFailure } from "./Peer.js"
import { PendingRequest } from "./PendingRequest.js"

/** What a direct call needs of its link. */
export interface DirectLink {
  /** Gives the call's turn back. */
  readonly release: () => void
  /** In milliseconds. */
  readonly now: () => number
  /**
   * `Link.call` of a call that goes on because of its answer: the first time, it begins with that answer, and `onEnd` is run at its
   * end.
   */
  readonly callAfter: (
    answer: Effect.Effect<unknown, ChannelFailure>,
    channel: Channel,
    deadline: number,
    onEnd: Effect.Effect<void>
  ) => Link["call"]
}

/** How a call fails. */
interface Tagged {
  readonly _tag: string
}

/** The request of a call that has a turn, and gives it back once. */
export class DirectCall<Options extends CallOptions, A, E extends Tagged> extends PendingRequest {
  readonly #options: Options
  readonly #question: Question<Options, A, E>
  readonly #resume: (effect: Effect.Effect<A, E>) => void
  readonly #channel: Channel
  readonly #link: DirectLink
  // Not what is left of the deadline, which may be never.
  readonly #start: number
  #hasTurn = true
  #isCounted = false

  constructor(
    options: Options,
    question: Question<Options, A, E>,
    resume: (effect: Effect.Effect<A, E>) => void,
    channel: Channel,
    link: DirectLink
  ) {
    super(options.timeoutMillis, options.trace)
    this.#options = options
    this.#question = question
    this.#resume = resume
    this.#channel = channel
    this.#link = link
    this.#start = link.now()
  }

  onResult(result: unknown): void {
    const success = this.#question.read(result)
    if (success === undefined) return this.#goOn(Effect.succeed(result))
    this.end("ok")
    this.#resume(success)
  }

  onFailure(failure: RequestFailure): void {
    this.#goOn(Effect.fail(failure))
  }

  /** Gives its turn back, and counts it; once. */
  end(outcome: string): void {
    this.#release()
    if (this.#isCounted) return
    this.#isCounted = true
    this.#options.meter?.ended(outcome, this.#link.now() - this.#start)
  }

  #release(): void {
    if (!this.#hasTurn) return
    this.#hasTurn = false
    this.#link.release()
  }

  #goOn(answer: Effect.Effect<unknown, ChannelFailure>): void {
    const call = this.#link.callAfter(answer, this.#channel, this.deadline, Effect.sync(() => this.#release()))
    this.#resume(Effect.onExit(
      this.#question.otherwise(this.#options, call, this.deadline),
      (exit) => Effect.sync(() => this.end(outcomeOf(exit)))
    ))
  }
}
