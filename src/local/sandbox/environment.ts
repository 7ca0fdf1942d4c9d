import { Buffer } from "node:buffer"

const protectedNames = new Set([
  "BASH_ENV",
  "CDPATH",
  "ENV",
  "HOME",
  "IFS",
  "LOGNAME",
  "PATH",
  "PWD",
  "SHELL",
  "SHELLOPTS",
  "TMPDIR",
  "USER"
])

const protectedBeginnings = ["BASH_FUNC_", "DYLD_", "GLIBC_", "KRUXOS_", "LD_"]

/** Which variables a program's caller cannot set, in words. */
export const protectedVariables = [...protectedNames, ...protectedBeginnings.map((beginning) => `${beginning}*`)].join(
  ", "
)

const longest = 128 * 1024

/** Why a variable cannot be set by who asks for a program, if it cannot. */
export const problemOfVariable = (name: string, value: string): string | undefined => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "its name has other characters than letters, digits and _"
  if (protectedNames.has(name) || protectedBeginnings.some((beginning) => name.startsWith(beginning))) {
    return `it is protected, as are ${protectedVariables}`
  }
  if (value.includes("\0")) return "its value holds a NUL character"
  return Buffer.byteLength(value) >= longest ? `its value is longer than ${longest} bytes` : undefined
}

/** The directories that programs are looked for in, after those of the gateway's own Node. */
export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** What a program finds in its environment before its caller adds anything: nothing of the gateway's own. */
export const cleanEnvironment = (
  { home, path }: { readonly home: string; readonly path: string }
): { readonly [name: string]: string } => ({
  HOME: home,
  LANG: "C.UTF-8",
  LOGNAME: "agent",
  PATH: path,
  SHELL: "/bin/sh",
  TERM: "dumb",
  TMPDIR: "/tmp",
  USER: "agent"
})
