import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Runs an effect on a fiber of its own, where interruption works as ever (so that its timeouts do), and waits for its end
 * whatever happens to whoever waits.
 */
export const apart = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptible(
    // A child would be interrupted with the fiber that it belongs to, also where that one is uninterruptible.
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(self)), (fiber) => Effect.flatten(fiber.await))
  )

/** As `apart`, but for at most so long: what takes longer is interrupted, and not waited for. */
export const apartWithin = <A, E, R>(self: Effect.Effect<A, E, R>, duration: Duration.DurationInput) =>
  apart(Effect.timeout(Effect.disconnect(self), duration))

/** How long undoing the steps of a transaction may take here. */
export const undoWithin = Duration.minutes(2)

const answerWithin = Duration.seconds(5)

/**
 * What comes of a step whose caller no longer waits. What has been sent happens or not: to be undone, it is waited for a little, unless
 * it waits for a human.
 */
export const lastAnswer = <A, E>(
  sending: Fiber.RuntimeFiber<A, E>,
  isWaiting = false
): Effect.Effect<Exit.Exit<A, E>> =>
  isWaiting
    ? Fiber.interrupt(sending)
    : Effect.flatMap(
      apart(Effect.timeoutOption(Fiber.await(sending), answerWithin)),
      Option.match({ onNone: () => Fiber.interrupt(sending), onSome: Effect.succeed })
    )
