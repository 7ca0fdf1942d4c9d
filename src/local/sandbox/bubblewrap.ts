import * as fs from "node:fs"
import { join, relative } from "node:path"
import { dataFolder, mountPoint, trashFolder } from "../workspace/pathForm.js"
import { isWithin, type SystemMount } from "./systemMounts.js"

/** Descriptors besides the launcher's own that bubblewrap reads from or writes to. */
export const descriptors = { args: 4, status: 5, accounts: 6, groups: 7 } as const

/** How programs are walled in on this machine. */
export interface Walls {
  /** Whether further user namespaces are off inside, which older versions of bubblewrap cannot do. */
  readonly disablesUserNamespaces: boolean
}

/** What bubblewrap is to show. */
export interface View {
  readonly workspace: string
  readonly workingDirectory: ReadonlyArray<string>
  readonly environment: { readonly [name: string]: string }
  readonly network: boolean
  readonly mounts: ReadonlyArray<SystemMount>
  /** Directories of the host that are seen, and may be changed, where they are on the host. */
  readonly shared: ReadonlyArray<string>
  /** Directories of the host, links resolved, that are seen nowhere. */
  readonly hidden: ReadonlyArray<string>
  /** How much each of the file systems in memory may hold, in bytes. */
  readonly memoryBytes: number
}

const isDirectory = (path: string): boolean => fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const readOnly = ({ mounts, hidden }: View): ReadonlyArray<string> =>
  mounts.flatMap((mount) => {
    if (mount._tag === "Link") return ["--symlink", mount.target, mount.destination]
    return hidden.some((directory) => isWithin(directory, mount.source))
      ? []
      : ["--ro-bind", mount.source, mount.destination]
  })

// An empty directory that nothing can be put into takes the place of what is hidden.
const cover = (path: string): ReadonlyArray<string> => ["--perms", "0000", "--tmpfs", path, "--remount-ro", path]

const covers = ({ hidden, mounts, shared, workspace }: View): ReadonlyArray<string> => {
  const shown = [
    ...mounts.flatMap((mount) => mount._tag === "Bind" ? [mount] : []),
    { source: workspace, destination: mountPoint },
    ...shared.map((directory) => ({ source: directory, destination: directory }))
  ]
  const own = [dataFolder, trashFolder].map((name) => join(workspace, name))
  const paths = [...own, ...hidden].filter(isDirectory).flatMap((path) =>
    shown.flatMap(({ destination, source }) =>
      path !== source && isWithin(source, path) ? [join(destination, relative(source, path))] : []
    )
  )
  return [...new Set(paths)].flatMap(cover)
}

/**
 * The options of bubblewrap for a program. They go by a pipe, so that no environment is in the list of processes. The workspace comes after
 * all that is read-only, and what is hidden after the workspace.
 */
export const optionsOf = (view: View, { disablesUserNamespaces }: Walls): ReadonlyArray<string> => [
  "--unshare-all",
  "--unshare-user",
  ...view.network ? ["--share-net"] : [],
  ...disablesUserNamespaces ? ["--disable-userns"] : [],
  "--die-with-parent",
  "--new-session",
  "--cap-drop",
  "ALL",
  "--hostname",
  "kruxos",
  "--json-status-fd",
  String(descriptors.status),
  ...readOnly(view),
  "--ro-bind-data",
  String(descriptors.accounts),
  "/etc/passwd",
  "--ro-bind-data",
  String(descriptors.groups),
  "/etc/group",
  "--proc",
  "/proc",
  "--dev",
  "/dev",
  "--size",
  String(view.memoryBytes),
  "--tmpfs",
  "/dev/shm",
  "--remount-ro",
  "/dev",
  "--size",
  String(view.memoryBytes),
  "--perms",
  "1777",
  "--tmpfs",
  "/tmp",
  "--bind",
  view.workspace,
  mountPoint,
  ...view.shared.flatMap((directory) => ["--bind", directory, directory]),
  ...covers(view),
  "--remount-ro",
  "/",
  "--chdir",
  [mountPoint, ...view.workingDirectory].join("/"),
  "--clearenv",
  ...Object.entries(view.environment).flatMap(([name, value]) => ["--setenv", name, value])
]

/** The list of accounts that programs see: root and the one that they run as. */
export const accounts = (uid: number, gid: number): string =>
  [
    ...uid === 0 ? [] : ["root:x:0:0:root:/root:/bin/sh"],
    `agent:x:${uid}:${gid}:Agent:/tmp:/bin/sh`,
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    ""
  ].join("\n")

/** The list of groups that programs see. */
export const groups = (gid: number): string =>
  [...gid === 0 ? [] : ["root:x:0:"], `agent:x:${gid}:`, "nogroup:x:65534:", ""].join("\n")
