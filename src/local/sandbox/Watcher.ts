import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type HostProcess, hostProcesses } from "./processes.js"

/** Looks at the processes of this machine for what it watches. */
export type Look = (all: ReadonlyArray<HostProcess>) => void

export interface Watcher {
  /** Has something looked at until the scope ends. */
  readonly watch: (look: Look) => Effect.Effect<void, never, Scope.Scope>
}

/** How often is looked at what the kernel does not hold by itself. */
const interval = "100 millis"

/** Watches all programs by one look at the machine's processes; where there are none it sleeps. */
export const make: Effect.Effect<Watcher, never, Scope.Scope> = Effect.gen(function*() {
  const looks = new Set<Look>()
  const busy = yield* Effect.makeLatch(false)
  const lookAtAll = Effect.sync(() => {
    const all = hostProcesses()
    for (const look of looks) look(all)
  })
  yield* busy.await.pipe(
    Effect.zipRight(Effect.sleep(interval)),
    Effect.zipRight(lookAtAll),
    Effect.forever,
    Effect.forkScoped
  )
  return {
    watch: (look) =>
      Effect.acquireRelease(
        Effect.zipRight(Effect.sync(() => looks.add(look)), busy.open),
        () => Effect.suspend(() => looks.delete(look) && looks.size === 0 ? busy.close : Effect.void)
      )
  }
})
