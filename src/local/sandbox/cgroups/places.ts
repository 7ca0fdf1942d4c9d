import { basename, dirname, isAbsolute, join, relative, sep } from "node:path"

/** What of a program a control group can hold. */
export type Controller = "cpu" | "memory" | "pids"

export const controllers: ReadonlyArray<Controller> = ["cpu", "memory", "pids"]

/** A directory of the kernel's tree of control groups that groups for programs may be made in, and what these would hold. */
export interface Place {
  readonly version: 1 | 2
  readonly directory: string
  readonly controllers: ReadonlyArray<Controller>
}

/** In the second version a group that has members hands no controllers on, so that the gateway has to move into a group of its own. */
export const gatewayGroup = "kruxos-gateway"

interface Mount {
  readonly root: string
  readonly directory: string
  readonly type: string
  readonly options: ReadonlyArray<string>
}

// Spaces and the like in names are octal.
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const mountsIn = (mountInfo: string): ReadonlyArray<Mount> =>
  mountInfo.split("\n").flatMap((line) => {
    const [before = "", after] = line.split(" - ")
    const [, , , root, directory] = before.split(" ")
    const [type, , options] = after?.split(" ") ?? []
    return root === undefined || directory === undefined || type === undefined || options === undefined
      ? []
      : [{ root: unescaped(root), directory: unescaped(directory), type, options: options.split(",") }]
  })

// A container may be shown a part of the tree, under which its own group is or is not.
const directoryIn = ({ directory, root }: Mount, path: string): ReadonlyArray<string> => {
  const below = relative(root, path)
  return below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below) ? [] : [join(directory, below)]
}

/** Where the groups of a process are that `/proc/self/cgroup` and `/proc/self/mountinfo` tell of; the second version first. */
export const placesOf = (membership: string, mountInfo: string): ReadonlyArray<Place> => {
  const mounts = mountsIn(mountInfo)
  const entries = membership.split("\n").flatMap((line) => {
    const [number, names, ...path] = line.split(":")
    return names === undefined || path.length === 0 ? [] : [{ number, names: names.split(","), path: path.join(":") }]
  })
  const second = entries.filter(({ names, number }) => number === "0" && names.join("") === "").flatMap(({ path }) =>
    mounts.filter(({ type }) => type === "cgroup2").flatMap((mount) => directoryIn(mount, path)).slice(0, 1)
  ).map((own): Place => ({
    version: 2,
    directory: basename(own) === gatewayGroup ? dirname(own) : own,
    controllers
  }))
  const first = controllers.flatMap((controller) =>
    entries.filter(({ names }) => names.includes(controller)).flatMap(({ path }) =>
      mounts.filter(({ options, type }) => type === "cgroup" && options.includes(controller))
        .flatMap((mount) => directoryIn(mount, path)).slice(0, 1)
    ).map((directory): Place => ({ version: 1, directory, controllers: [controller] }))
  )
  return [...second, ...first]
}
