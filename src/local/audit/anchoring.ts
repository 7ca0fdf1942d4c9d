import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { GatewayInstance } from "../store/GatewayInstance.js"
import type { Head } from "./chain.js"
import * as HeadFile from "./head.js"

/** Where the log ended when a gateway on this data directory wrote last, as far as a file there says so. */
export const knownHead = (dataDirectory: string | undefined): Effect.Effect<Option.Option<Head>> =>
  dataDirectory === undefined
    ? Effect.succeedNone
    : HeadFile.read(HeadFile.fileIn(dataDirectory)).pipe(
      Effect.catchAll(({ cause }) =>
        Effect.as(Effect.logWarning("Where the audit log ended is not known", cause), Option.none<Head>())
      )
    )

/**
 * Keeps where the log ends in a file of the data directory: at most once a second, and when the scope ends.
 */
export const keepHead = (
  dataDirectory: string | undefined,
  head: () => Option.Option<Head>
): Effect.Effect<void, never, Scope.Scope | GatewayInstance> =>
  Effect.gen(function*() {
    if (dataDirectory === undefined) return
    const file = HeadFile.fileIn(dataDirectory)
    const { id, isAlive } = yield* GatewayInstance
    yield* Effect.catchAll(
      HeadFile.sweep(file, isAlive),
      ({ cause }) => Effect.logWarning("What killed gateways left of the audit log's end was not removed", cause)
    )
    const former = Option.getOrUndefined(head())?.hash
    let kept = former
    let isFailing = false
    // Another gateway on the same data may have been further already.
    const isFurther = (now: Head) =>
      Effect.map(
        Effect.orElseSucceed(HeadFile.read(file), Option.none<Head>),
        Option.exists(({ hash, sequence }) => sequence > now.sequence && hash !== former && hash !== kept)
      )
    const write = (now: Head) =>
      Effect.unlessEffect(HeadFile.write(file, now, id), isFurther(now)).pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            kept = now.hash
            isFailing = false
          })
        )
      )
    const keepWhere = (isDue: (now: Head) => boolean) =>
      Effect.suspend(() => {
        const now = Option.filter(head(), isDue)
        return Option.isNone(now) ? Effect.void : write(now.value)
      }).pipe(
        Effect.catchAll(({ cause }) => {
          if (isFailing) return Effect.void
          isFailing = true
          return Effect.logWarning("Where the audit log ends was not kept", cause)
        }),
        Effect.uninterruptible
      )
    // At the end in any case: another gateway may have written an older one over what this one has kept.
    yield* Effect.addFinalizer(() => keepWhere(() => true))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(keepWhere(({ hash }) => hash !== kept), "1 second")))
  })
