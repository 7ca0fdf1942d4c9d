import type { Event, Options } from "@parcel/watcher"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { ResourceExhausted, ServiceUnavailable } from "../../../errors/general.js"
import { dataFolder, trashFolder } from "../../workspace/pathForm.js"

/** The part of the watcher that is used here. */
export interface Watcher {
  readonly subscribe: (
    directory: string,
    callback: (error: Error | null, events: Array<Event>) => unknown,
    options: Options
  ) => Promise<{ readonly unsubscribe: () => Promise<void> }>
}

/** What happened to a file; `path` is one of the host. */
export type RawEvent = Event

const missing = (cause: unknown) =>
  new ServiceUnavailable({
    message: "Directories cannot be watched: the package @parcel/watcher is not installed for this system",
    service: "filesystem.watch",
    reason: "install @parcel/watcher next to kruxos and start the gateway anew",
    cause
  })

/** Loads the watcher, which not every system has. */
export const loadWatcher: Effect.Effect<Watcher, ServiceUnavailable> = Effect.tryPromise({
  try: () => import("@parcel/watcher").then((module) => module.default),
  catch: missing
})

const notStarted = (cause: unknown): ResourceExhausted | ServiceUnavailable =>
  cause instanceof Error && /no space left|too many open files|inotify/i.test(cause.message)
    ? new ResourceExhausted({
      message: "The system allows no more watched directories: watch a smaller one",
      resource: "watched directories of the system",
      cause
    })
    : new ServiceUnavailable({
      message: "The directory cannot be watched",
      service: "filesystem.watch",
      reason: "the system's watcher did not start",
      cause
    })

const slow = () =>
  new ServiceUnavailable({
    message: "The directory cannot be watched: it is too large to begin within 30 seconds",
    service: "filesystem.watch",
    reason: "watch a smaller directory"
  })

/**
 * Watches a directory of the host, and all directories below it, until the scope ends. `onEvents` gets what happened in
 * one go, `undefined` where events were lost.
 */
export const subscribe = (
  watcher: Watcher,
  directory: string,
  onEvents: (events: ReadonlyArray<RawEvent> | undefined) => void
): Effect.Effect<void, ResourceExhausted | ServiceUnavailable, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const starting = watcher.subscribe(
        directory,
        (error, events) => onEvents(error === null ? events : undefined),
        // The same for every watch: the watcher shares what it knows of a directory between all that watch it.
        { ignore: [trashFolder, dataFolder] }
      )
      const stop = Effect.ignoreLogged(
        Effect.tryPromise(() => starting.then((subscription) => subscription.unsubscribe(), () => undefined))
      )
      return restore(
        Effect.tryPromise({ try: () => starting, catch: notStarted }).pipe(
          Effect.timeoutFail({ duration: "30 seconds", onTimeout: slow })
        )
      ).pipe(
        // One that begins only after nobody waits for it any more is ended then.
        Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.addFinalizer(() => stop) : Effect.forkDaemon(stop)),
        Effect.asVoid
      )
    })
  )
