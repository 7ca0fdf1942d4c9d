import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import type { TrashService } from "../../../src/local/store/Trash.js"

const killed = new Error("the process was killed")

/** Runs effects that are killed at one of their steps: that step and all later ones change nothing any more. */
export interface Crash {
  /** Runs an effect until right before its step of that number, counted from 1. Says whether it came that far. */
  readonly killAt: <A, E, R>(step: number, effect: Effect.Effect<A, E, R>) => Effect.Effect<boolean, never, R>
  /** A store whose changes are steps, too. */
  readonly ofTrash: (trash: TrashService) => TrashService
}

const changing = [
  "linkSync",
  "symlinkSync",
  "renameSync",
  "unlinkSync",
  "rmdirSync",
  "mkdirSync",
  "ftruncateSync",
  "fchmodSync",
  "futimesSync"
] as const

type Callback = (cause: Error | null, count: number) => void

/** Counts every call of `node:fs` that changes something; a write is two of them, so that it can be cut off in between. */
export const makeCrash = (): Crash => {
  let step = 0
  let last = Infinity

  const isDead = () => step >= last
  const isKilled = () => {
    if (!isDead()) step++
    return isDead()
  }
  const live = () => {
    if (isKilled()) throw killed
  }

  const patch = () => {
    const original = { ...fs }
    for (const name of changing) {
      Reflect.set(fs, name, (...given: ReadonlyArray<unknown>): unknown => {
        live()
        return Reflect.apply(original[name], undefined, given)
      })
    }
    Reflect.set(fs, "openSync", (path: string, flags: number, mode?: number) => {
      if ((flags & fs.constants.O_CREAT) !== 0) live()
      return original.openSync(path, flags, mode)
    })
    Reflect.set(
      fs,
      "write",
      (descriptor: number, bytes: Uint8Array, offset: number, length: number, at: null, done: Callback): unknown => {
        if (isKilled()) return setImmediate(() => done(killed, 0))
        const half = Math.floor(length / 2)
        original.writeSync(descriptor, bytes, offset, half)
        if (isKilled()) return setImmediate(() => done(killed, 0))
        return original.write(
          descriptor,
          bytes,
          offset + half,
          length - half,
          at,
          (cause, count) => done(cause, half + count)
        )
      }
    )
    Reflect.set(
      fs,
      "copyFile",
      (from: string, to: string, mode: number, done: (cause: Error | null) => void): unknown =>
        isKilled() ? setImmediate(() => done(killed)) : original.copyFile(from, to, mode, done)
    )
    syncBuiltinESMExports()
    return () => {
      for (const name of [...changing, "openSync", "write", "copyFile"]) {
        Reflect.set(fs, name, Reflect.get(original, name))
      }
      syncBuiltinESMExports()
    }
  }

  const killAt: Crash["killAt"] = (number, effect) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        step = 0
        last = number
        return patch()
      }),
      () =>
        Effect.map(Effect.exit(effect), (exit) => {
          if (!isDead() && Exit.isFailure(exit)) throw new Error(`it failed without a crash: ${exit.cause}`)
          return isDead()
        }),
      (restore) =>
        Effect.sync(() => {
          last = Infinity
          restore()
        })
    )

  const asStep = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => isKilled() ? Effect.die(killed) : effect)

  return {
    killAt,
    ofTrash: (trash) => ({
      ...trash,
      add: (entry) => asStep(trash.add(entry)),
      remove: (path) => asStep(trash.remove(path))
    })
  }
}
