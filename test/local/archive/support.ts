import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type BackupKey, BackupPlace } from "../../../src/local/archive/BackupPlace.js"
import { type Backups, make } from "../../../src/local/archive/Backups.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { SharedState } from "../../../src/local/store/SharedState.js"
import * as Store from "../../../src/local/store/Store.js"

/** A data directory that goes with the scope. */
export const dataDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "kruxos-archive-")))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

/** The store of a data directory. */
export const storeIn = (directory: string) => Layer.orDie(Store.layer({ filename: join(directory, "gateway.db") }))

/** The backups of a data directory, over the store that is provided. */
export const backupsIn = (directory: string, key?: BackupKey) =>
  Effect.provideService(make, BackupPlace, {
    dataDirectory: directory,
    database: join(directory, "gateway.db"),
    key
  })

/** The file of a backup. */
export const fileOf = (directory: string, id: string) => join(directory, "backups", `${id}.krxb`)

/** What a test works with: backups in a directory of their own, with the agents `one` and `two`. */
export const withBackups = <A, E, R>(
  use: (backups: Backups, directory: string) => Effect.Effect<A, E, R>,
  key?: (directory: string) => BackupKey
) =>
  Effect.scoped(Effect.gen(function*() {
    const directory = yield* dataDirectory
    return yield* Effect.gen(function*() {
      const agents = yield* Agents
      yield* agents.create({ name: "one" })
      yield* agents.create({ name: "two" })
      return yield* use(yield* backupsIn(directory, key?.(directory)), directory)
    }).pipe(Effect.provide(storeIn(directory)))
  }))

const author = (agent: string, at: number) => ({ agent, source: "session", at })

/** Writes a value to an agent's persistent state, or to the shared state for `*`, as the next version. */
export const put = (space: string, key: string, value: unknown, at = 1000) =>
  Effect.gen(function*() {
    const text = JSON.stringify(value)
    if (space !== "*") {
      return (yield* (yield* PersistentState).set(key, text, author(space, at))).version
    }
    const shared = yield* SharedState
    const now = yield* shared.get(key)
    return yield* shared.set(key, text, now?.version ?? 0, author("one", at))
  })

/** Removes a key of an agent's persistent state, or of the shared state. */
export const remove = (space: string, key: string, at = 1000) =>
  Effect.gen(function*() {
    const by = { source: "session", at }
    return space === "*"
      ? yield* (yield* SharedState).remove(key, by)
      : yield* (yield* PersistentState).remove(space, key, by)
  })

/** Everything that is kept of a space but the numbers of the versions. */
export const contentOf = (space: string) =>
  Effect.gen(function*() {
    if (space === "*") {
      const shared = yield* SharedState
      const { count, entries, totalBytes } = yield* shared.list("")
      const values = yield* Effect.forEach(entries, ({ key }) => shared.get(key))
      return {
        count,
        totalBytes,
        used: yield* shared.used,
        entries: entries.map(({ key, owner, size, updatedAt }, index) => ({
          key,
          owner,
          size,
          updatedAt,
          value: values[index]?.value,
          createdAt: values[index]?.createdAt
        }))
      }
    }
    const state = yield* PersistentState
    const { count, entries, totalBytes } = yield* state.list(space, "")
    const histories = yield* Effect.forEach(entries, ({ key }) => state.history(space, key))
    return {
      count,
      totalBytes,
      used: yield* state.used(space),
      entries: entries.map(({ key, owner, size, updatedAt }, index) => ({
        key,
        owner,
        size,
        updatedAt,
        history: histories[index]?.map(({ createdAt, updatedAt, value }) => ({ value, createdAt, updatedAt }))
      }))
    }
  })

/** The versions of all keys of a space. */
export const versionsOf = (space: string) =>
  Effect.gen(function*() {
    const { entries } = space === "*"
      ? yield* (yield* SharedState).list("")
      : yield* (yield* PersistentState).list(space, "")
    return new Map(entries.map(({ key, version }) => [key, version]))
  })

/** Who restores in these tests. */
export const restorer = { source: "restore", at: DateTime.toEpochMillis(DateTime.unsafeMake(2000)) }
