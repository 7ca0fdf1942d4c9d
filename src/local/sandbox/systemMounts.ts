import * as fs from "node:fs"
import { dirname, isAbsolute, relative, sep } from "node:path"

/** What of the host a program sees, read-only: a file or a directory, or a link as it is. */
export type SystemMount =
  | { readonly _tag: "Bind"; readonly source: string; readonly destination: string }
  | { readonly _tag: "Link"; readonly target: string; readonly destination: string }

const directories = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

// No private keys, no accounts, nothing that says more of the host than which software it has.
const settings = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/crypto-policies",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/magic",
  "/etc/mime.types",
  "/etc/nsswitch.conf",
  "/etc/os-release",
  "/etc/pki/ca-trust",
  "/etc/pki/tls/certs",
  "/etc/pki/tls/openssl.cnf",
  "/etc/protocols",
  "/etc/services",
  "/etc/ssl/cert.pem",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf"
]

const networkSettings = ["/etc/hosts", "/etc/resolv.conf"]

/** Whether a path is a directory or something below it; both without links. */
export const isWithin = (directory: string, path: string): boolean => {
  const below = relative(directory, path)
  return below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below)
}

const attempt = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

const bind = (path: string): ReadonlyArray<SystemMount> => {
  const source = attempt(() => fs.realpathSync.native(path))
  return source === undefined ? [] : [{ _tag: "Bind", source, destination: path }]
}

const directoryMount = (path: string): ReadonlyArray<SystemMount> => {
  const status = attempt(() => fs.lstatSync(path))
  if (status === undefined) return []
  return status.isSymbolicLink() ? [{ _tag: "Link", target: fs.readlinkSync(path), destination: path }] : bind(path)
}

/** The directory that the gateway's own Node is installed in, where programs would not see it else; and the one that has its program. */
export const ownNode = (executable: string = process.execPath): {
  readonly prefix: string
  readonly programs: string
} | undefined => {
  const real = attempt(() => fs.realpathSync.native(executable))
  if (real === undefined || directories.some((directory) => isWithin(directory, real))) return undefined
  const programs = dirname(real)
  // Nobody would want all of a home directory to be seen because Node lies directly in it.
  const prefix = dirname(programs)
  const modules = attempt(() => fs.statSync(`${prefix}/lib/node_modules`))
  return programs.endsWith(`${sep}bin`) && modules?.isDirectory() === true ? { prefix, programs } : undefined
}

/** What programs see of this machine. */
export const systemMounts = ({ network }: { readonly network: boolean }): ReadonlyArray<SystemMount> => [
  ...directories.flatMap(directoryMount),
  ...[...settings, ...network ? networkSettings : []].flatMap(bind),
  ...[ownNode()?.prefix ?? []].flat().flatMap(bind)
]
