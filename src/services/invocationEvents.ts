import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { OnProgress, ProgressUpdate } from "../connection/progress.js"
import { InvocationEvent } from "../schema/InvocationEvent.js"

const mostWaiting = 256

const mostCharacters = 1024 * 1024

const lengthOf = ({ message }: ProgressUpdate) => message?.length ?? 0

/** What is not read yet: of counts that follow each other the newest, of messages the last 256, with at most 1 Mi characters. */
class Unread {
  #updates: Array<ProgressUpdate> = []
  #characters = 0

  add(update: ProgressUpdate): void {
    const updates = this.#updates
    if (update.message === undefined && updates.at(-1)?.message === undefined) updates.pop()
    updates.push(update)
    this.#characters += lengthOf(update)
    while (updates.length > 1 && (updates.length > mostWaiting || this.#characters > mostCharacters)) {
      const oldest = updates.shift()
      if (oldest !== undefined) this.#characters -= lengthOf(oldest)
    }
  }

  takeAll(): ReadonlyArray<ProgressUpdate> {
    const taken = this.#updates
    this.#updates = []
    this.#characters = 0
    return taken
  }
}

/**
 * What is heard of an invocation until it has ended, which whoever stops listening stops. Hearing it never waits for the one who reads:
 * what is not read in time is left out, the oldest first.
 */
export const invocationEvents = <A, E>(
  invoke: (onProgress: OnProgress) => Effect.Effect<A, E>
): Stream.Stream<InvocationEvent<A>, E> =>
  Stream.fromPull(Effect.gen(function*() {
    const unread = new Unread()
    const news = yield* Effect.makeLatch(false)
    let end: Exit.Exit<A, E> | undefined
    let isTold = false

    const onProgress: OnProgress = (update) => {
      unread.add(update)
      news.unsafeOpen()
    }
    yield* invoke(onProgress).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          end = exit
          news.unsafeOpen()
        })
      ),
      // Whoever runs the stream may not be: closing its scope is.
      Effect.interruptible,
      Effect.forkScoped
    )

    const ended = (exit: Exit.Exit<A, E>) => {
      if (isTold) return Effect.fail(Option.none())
      isTold = true
      return Exit.isSuccess(exit)
        ? Effect.succeed(Chunk.of<InvocationEvent<A>>(InvocationEvent.Completed({ output: exit.value })))
        : Effect.failCause(Cause.map(exit.cause, Option.some))
    }

    const pull: Effect.Effect<Chunk.Chunk<InvocationEvent<A>>, Option.Option<E>> = Effect.suspend(() => {
      const updates = unread.takeAll()
      if (updates.length > 0) {
        return Effect.succeed(
          Chunk.unsafeFromArray<InvocationEvent<A>>(updates.map((update) => InvocationEvent.Progress(update)))
        )
      }
      if (end !== undefined) return ended(end)
      news.unsafeClose()
      return Effect.zipRight(news.await, pull)
    })
    return pull
  }))
