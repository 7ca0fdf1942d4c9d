import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { basename, join } from "node:path"
import { defaultLimits, type Limits } from "../Sandbox.js"
import { type ControlGroup, create, existing, joining } from "./ControlGroup.js"
import { isLeftOver, newName } from "./naming.js"
import { type Controller, gatewayGroup, type Place, placesOf } from "./places.js"

/** The kernel's control groups, as far as this gateway may make some below its own. */
export interface ControlGroups {
  /** Each controller is held in one of them at most. */
  readonly places: ReadonlyArray<Place>
  /** Makes a group; `own` is the number of processes beside the program in it. Throws what the system says. */
  readonly create: (limits: Limits, own: number) => ControlGroup
}

/** None that may be used. */
export const none: ControlGroups = {
  places: [],
  create: () => existing([])
}

const attempt = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

const wordsIn = (file: string): ReadonlyArray<string> =>
  (attempt(() => fs.readFileSync(file, "utf8")) ?? "").split(/\s+/).filter((word) => word !== "")

// Others in the gateway's group are nobody's to move.
const handOn = (directory: string, wanted: ReadonlyArray<Controller>): void => {
  const control = join(directory, "cgroup.subtree_control")
  const missing = () => wanted.filter((controller) => !wordsIn(control).includes(controller))
  const enable = () => {
    for (const controller of missing()) attempt(() => fs.writeFileSync(control, `+${controller}`, { flag: "r+" }))
  }
  enable()
  const members = wordsIn(join(directory, "cgroup.procs"))
  if (missing().length === 0 || members.length !== 1 || members[0] !== String(process.pid)) return
  const own = join(directory, gatewayGroup)
  attempt(() => fs.mkdirSync(own))
  attempt(() => fs.writeFileSync(join(own, "cgroup.procs"), String(process.pid), { flag: "r+" }))
  enable()
}

const mayWriteTo = (directory: string): boolean => {
  try {
    fs.accessSync(directory, fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A place with what groups in it would hold, if anything: of the second version only what the gateway's own group hands on. */
export const prepared = (place: Place): ReadonlyArray<Place> => {
  if (place.version === 1) return [place]
  const { directory } = place
  const offered = wordsIn(join(directory, "cgroup.controllers"))
  const wanted = place.controllers.filter((controller) => offered.includes(controller))
  if (wanted.length === 0 || !mayWriteTo(directory)) return []
  handOn(directory, wanted)
  const handed = wordsIn(join(directory, "cgroup.subtree_control"))
  const controllers = wanted.filter((controller) => handed.includes(controller))
  return controllers.length === 0 ? [] : [{ ...place, controllers }]
}

const work = (places: ReadonlyArray<Place>) =>
  Effect.gen(function*() {
    const group = attempt(() => create(places, newName(), defaultLimits, 0))
    if (group === undefined) return false
    const ended = yield* Effect.sync(() =>
      spawnSync("/bin/sh", joining(group, "/bin/sh", ["-c", ":"]), { stdio: "ignore", timeout: 5000 })
    )
    return (yield* group.remove) && ended.status === 0
  })

// A gateway that was killed took none away; what ran without a sandbox may still be in them.
const clear = (place: Place) =>
  Effect.forEach(
    (attempt(() => fs.readdirSync(place.directory)) ?? []).filter((name) => isLeftOver(basename(name))),
    (name) => existing([{ place, directory: join(place.directory, name) }]).remove,
    { discard: true }
  )

/** Finds out by trying which control groups may be used, and takes away what gateways have left behind that were killed. */
export const find: Effect.Effect<ControlGroups> = Effect.gen(function*() {
  if (process.platform !== "linux") return none
  const membership = attempt(() => fs.readFileSync("/proc/self/cgroup", "utf8")) ?? ""
  const mountInfo = attempt(() => fs.readFileSync("/proc/self/mountinfo", "utf8")) ?? ""
  const found = placesOf(membership, mountInfo).flatMap(prepared)
  yield* Effect.forEach(found, clear, { discard: true })
  // One trial is enough in most cases.
  const places = (yield* work(found)) ? found : yield* Effect.filter(found, (place) => work([place]))
  return {
    places,
    create: (limits, own) => create(places, newName(), limits, own)
  }
})
