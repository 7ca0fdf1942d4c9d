import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const mebibyte = 1024 * 1024

const mount = (bytes: number): string => {
  const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "kruxos-small-")))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stdio: "ignore" })
    return folder
  } catch (cause) {
    fs.rmdirSync(folder)
    throw cause
  }
}

const unmount = (folder: string): void => {
  execFileSync("umount", [folder], { stdio: "ignore" })
  fs.rmdirSync(folder)
}

/** Whether this process may mount a file system. */
export const canMount = ((): boolean => {
  try {
    unmount(mount(mebibyte))
    return true
  } catch {
    return false
  }
})()

/** A file system of that many bytes, until the scope ends. */
export const smallDisk = (bytes: number): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(() => mount(bytes)), (folder) => Effect.sync(() => unmount(folder)))

/** Takes all the room that a disk has, but for some bytes; gives it back when it is run. */
export const fill = (disk: string, spared = 0): Effect.Effect<void> => {
  const filler = join(disk, "filler")
  const descriptor = fs.openSync(filler, "a")
  const write = (piece: Uint8Array): void => {
    try {
      while (fs.writeSync(descriptor, piece) > 0);
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause
    }
  }
  write(new Uint8Array(64 * 1024))
  write(new Uint8Array(1))
  fs.ftruncateSync(descriptor, fs.fstatSync(descriptor).size - spared)
  fs.closeSync(descriptor)
  return Effect.sync(() => fs.rmSync(filler))
}

/** What to add to the name of a suite that needs it. */
export const skipped = canMount ? "" : " (skipped: it needs the right to mount a file system)"
