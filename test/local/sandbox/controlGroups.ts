import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { find } from "../../../src/local/sandbox/cgroups/ControlGroups.js"
import type { Controller } from "../../../src/local/sandbox/cgroups/places.js"

const { places } = await Effect.runPromise(find)

/** Whether programs are held by control groups here. */
export const holds = (...wanted: ReadonlyArray<Controller>): boolean =>
  wanted.every((controller) => places.some(({ controllers }) => controllers.includes(controller)))

/** The title of what is tested, with the reason where it is left out. */
export const inControlGroups = (title: string, ...wanted: ReadonlyArray<Controller>): string =>
  holds(...wanted) ? title : `${title} (left out: control groups cannot be made here)`

/** The directories of this machine in which the groups of programs are. */
export const directories: ReadonlyArray<string> = places.map(({ directory }) => directory)

/** The groups of a program that a gateway has started, by one of its processes; dies where there is none. */
export const groupsOf = (pid: string): ReadonlyArray<string> => {
  const name = /kruxos-\d+-\d+-\d+-[0-9a-f]+/.exec(fs.readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[0]
  if (name === undefined) throw new Error(`The process ${pid} is in no group of a gateway`)
  return directories.map((directory) => `${directory}/${name}`).filter((path) => fs.existsSync(path))
}

/** The groups that this process has made and that are there. */
export const groups = (): ReadonlyArray<string> =>
  directories.flatMap((directory) =>
    fs.readdirSync(directory).flatMap((name) =>
      new RegExp(`^kruxos-\\d+-${process.pid}-`).test(name) ? [`${directory}/${name}`] : []
    )
  )
