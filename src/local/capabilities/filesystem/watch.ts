import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as FileSystem from "node:fs/promises"
import { join } from "node:path"
import type * as filesystem from "../../../catalogue/filesystem.js"
import { type DirectoryNotFound, type PathOutOfScope, TooManyWatches } from "../../../errors/filesystem.js"
import type { ServiceUnavailable } from "../../../errors/general.js"
import { Identifiers } from "../../Identifiers.js"
import { Inbox } from "../../store/Inbox.js"
import { isReserved, outOfScope } from "../../workspace/pathForm.js"
import type { Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { parseGlob } from "./Glob.js"
import { noDirectory, refused, requireDirectory } from "./searchRoot.js"
import { startDelivery } from "./watchDelivery.js"
import { loadWatcher, subscribe, type Watcher } from "./watcher.js"
import type { EventType, Watched } from "./watchEvents.js"

type Watch = Handler<typeof filesystem.watch>

const maximumWatches = 32

const allTypes: ReadonlyArray<EventType> = ["create", "modify", "delete", "rename"]

/** Where a directory is on the host, all links followed; it has to be inside the workspace. */
const hostPathOf = (
  { root }: Workspace,
  path: WorkspacePath
): Effect.Effect<string, DirectoryNotFound | PathOutOfScope> =>
  Effect.tryPromise({
    try: () => FileSystem.realpath(join(root, ...path.segments)),
    catch: () => noDirectory(path.display)
  }).pipe(
    Effect.filterOrFail(
      (hostPath) => {
        const prefix = root === "/" ? root : `${root}/`
        return hostPath === root ||
          (hostPath.startsWith(prefix) && !isReserved(hostPath.slice(prefix.length).split("/")[0] ?? ""))
      },
      () => outOfScope(path.display)
    )
  )

/** How many watches every session has. */
const makeSlots = () => {
  const taken = new Map<string, number>()
  return (sessionId: string): Effect.Effect<void, TooManyWatches, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const count = taken.get(sessionId) ?? 0
        if (count >= maximumWatches) {
          return new TooManyWatches({
            message: `A session can watch ${maximumWatches} directories, and this one does`,
            limit: maximumWatches
          })
        }
        taken.set(sessionId, count + 1)
        return Effect.void
      }),
      () =>
        Effect.sync(() => {
          const count = taken.get(sessionId) ?? 0
          if (count > 1) taken.set(sessionId, count - 1)
          else taken.delete(sessionId)
        })
    )
}

/** Runs in a scope of its own below another one: closed at once where it fails, else together with the other one. */
const inChildOf = (parent: Scope.Scope) => <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Scope.fork(parent, ExecutionStrategy.sequential),
      (scope) =>
        restore(Scope.extend(effect, scope)).pipe(
          Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit))
        )
    )
  )

/** {@link makeWatch} with another way to get at the watcher. */
export const makeWatchWith = (
  load: Effect.Effect<Watcher, ServiceUnavailable>
): Effect.Effect<Watch, never, Inbox> =>
  Effect.zipWith(Inbox, Identifiers, (inbox, identifiers): Watch => {
    const takeSlot = makeSlots()
    return (input, { agent, sessionId, sessionScope, workspace }) =>
      Effect.gen(function*() {
        if (input.event_types?.length === 0) return yield* refused("event_types", "it names no type of event")
        const glob = input.pattern === undefined
          ? undefined
          : yield* Either.mapLeft(parseGlob(input.pattern), (reason) => refused("pattern", reason))
        const path = yield* requireDirectory(workspace, input.path)
        const watchId = `watch-${identifiers.uuid()}`
        yield* takeSlot(sessionId)
        const watcher = yield* load
        const hostPath = yield* hostPathOf(workspace, path)
        const watched: Watched = {
          workspace,
          path,
          hostPath,
          recursive: input.recursive,
          eventTypes: new Set(input.event_types ?? allTypes),
          glob
        }
        const { begin, receive } = yield* startDelivery(inbox, watchId, agent.name, watched)
        yield* subscribe(watcher, hostPath, receive)
        // Between the look and the start, a link may have taken the directory's place.
        if ((yield* hostPathOf(workspace, path)) !== hostPath) return yield* outOfScope(path.display)
        yield* begin
        return { watch_id: watchId, path: path.display, recursive: input.recursive }
      }).pipe(inChildOf(sessionScope))
  })

/**
 * `filesystem.watch`: tells an agent what happens in a directory until its session ends, by messages in its inbox from
 * `filesystem.watch` on the channel `watch:<watch_id>`. The text of a message is JSON: `watch_id`, `type` (`create`,
 * `modify`, `delete`, `rename`, or `overflow` with the number of `dropped` events), `path`, and `old_path` for a rename.
 * Without `recursive` only what lies directly in the directory is told. Where no `rename` is asked for, it comes as
 * `delete` and `create`. Links are not followed. A session can have 32 watches. Fails with ServiceUnavailable where the
 * package that does the watching is not installed.
 */
export const makeWatch: Effect.Effect<Watch, never, Inbox> = makeWatchWith(loadWatcher)
