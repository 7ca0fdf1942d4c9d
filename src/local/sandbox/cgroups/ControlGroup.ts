import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Exit, Limits } from "../Sandbox.js"
import type { Place } from "./places.js"
import { events, settingsOf } from "./settings.js"

/** A program's group: a directory in each place. */
export interface ControlGroup {
  /** What a process writes `0` to that joins it. */
  readonly memberships: ReadonlyArray<string>
  /** Whether the kernel holds the number of its members. */
  readonly holdsCount: boolean
  readonly members: () => ReadonlyArray<number>
  /** The limit that was met so far, if any was. */
  readonly exceeded: () => Exit["exceeded"]
  /** Ends all members at once. */
  readonly kill: () => void
  /** Ends all members and takes the group away; whether it is gone. */
  readonly remove: Effect.Effect<boolean>
}

const attempt = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

const membershipOf = (directory: string): string => join(directory, "cgroup.procs")

// Those of other namespaces are told as 0, which a signal would take for the gateway's own group.
const membersOf = (directory: string): ReadonlyArray<number> =>
  (attempt(() => fs.readFileSync(membershipOf(directory), "utf8")) ?? "").split("\n").map(Number).filter((pid) =>
    pid > 0 && pid !== process.pid
  )

const set = (file: string, value: string): void => fs.writeFileSync(file, value, { flag: "r+" })

// Without the controller of processes members may be made while others are killed.
const mostPasses = 20

const killIn = (directories: ReadonlyArray<string>): void => {
  for (const directory of directories) attempt(() => set(join(directory, "pids.max"), "0"))
  const seen = new Set<number>()
  for (let pass = 0; pass < mostPasses; pass++) {
    const found = directories.flatMap(membersOf).filter((pid) => !seen.has(pid))
    if (found.length === 0) return
    for (const pid of found) {
      seen.add(pid)
      attempt(() => process.kill(pid, "SIGKILL"))
    }
  }
}

const removeNow = (directories: ReadonlyArray<string>): boolean => {
  for (const directory of directories) attempt(() => fs.rmdirSync(directory))
  return directories.every((directory) => !fs.existsSync(directory))
}

/** The group whose directories these are. */
export const existing = (
  parts: ReadonlyArray<{ readonly place: Place; readonly directory: string }>
): ControlGroup => {
  const directories = parts.map(({ directory }) => directory)
  const count = (what: keyof typeof events, controller: "memory" | "pids"): number =>
    parts.filter(({ place }) => place.controllers.includes(controller)).reduce((sum, { directory, place }) => {
      const text = attempt(() => fs.readFileSync(join(directory, events[what][place.version]), "utf8")) ?? ""
      return sum + Number(events[what].line.exec(text)?.[1] ?? 0)
    }, 0)
  return {
    memberships: directories.map(membershipOf),
    holdsCount: parts.some(({ place }) => place.controllers.includes("pids")),
    members: () => [...new Set(directories.flatMap(membersOf))],
    exceeded: () => count("memory", "memory") > 0 ? "memory" : count("processes", "pids") > 0 ? "processes" : undefined,
    kill: () => killIn(directories),
    // What has been killed takes its time to go.
    remove: Effect.sync(() => {
      if (removeNow(directories)) return true
      killIn(directories)
      return removeNow(directories)
    }).pipe(
      Effect.repeat({ until: (isGone) => isGone, times: 200, schedule: Schedule.spaced("20 millis") }),
      Effect.map(() => removeNow(directories)),
      // It is the kernel that is waited for, whatever the time of those who run programs.
      Effect.withClock(Clock.make())
    )
  }
}

/** Makes a group that holds its members to limits; throws what the system says. */
export const create = (places: ReadonlyArray<Place>, name: string, limits: Limits, own: number): ControlGroup => {
  const parts = places.map((place) => ({ place, directory: join(place.directory, name) }))
  try {
    for (const { directory, place } of parts) {
      fs.mkdirSync(directory)
      for (const controller of place.controllers) {
        for (const { file, isOptional, value } of settingsOf(place.version, controller, limits, own)) {
          if (isOptional) attempt(() => set(join(directory, file), value))
          else set(join(directory, file), value)
        }
      }
    }
    return existing(parts)
  } catch (cause) {
    removeNow(parts.map(({ directory }) => directory))
    throw cause
  }
}

/** What of the shell begins in a group, before anything else: how many there are to join, these, and then a command. */
const script = `
left=$1; shift
while [ "$left" -gt 0 ]; do echo 0 >"$1" || exit 125; shift; left=$((left - 1)); done
exec "$@"
`

/** The arguments of `/bin/sh` that run a command as a member of a group. */
export const joining = (
  { memberships }: ControlGroup,
  file: string,
  args: ReadonlyArray<string>
): ReadonlyArray<string> => ["-c", script, "sh", String(memberships.length), ...memberships, file, ...args]
