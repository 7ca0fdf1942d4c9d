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
    let kept = Option.getOrUndefined(head())?.hash
    let isFailing = false
    const keep = Effect.suspend(() => {
      const now = head()
      if (Option.isNone(now) || now.value.hash === kept) return Effect.void
      return Effect.tap(HeadFile.write(file, now.value, id), () =>
        Effect.sync(() => {
          kept = now.value.hash
          isFailing = false
        }))
    }).pipe(
      Effect.catchAll(({ cause }) => {
        if (isFailing) return Effect.void
        isFailing = true
        return Effect.logWarning("Where the audit log ends was not kept", cause)
      }),
      Effect.uninterruptible
    )
    yield* Effect.addFinalizer(() => keep)
    yield* Effect.forkScoped(Effect.forever(Effect.delay(keep, "1 second")))
  })
