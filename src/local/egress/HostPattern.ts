import * as Either from "effect/Either"
import { kindOf } from "./address.js"
import { type Host, isLocalName, parseHost } from "./Host.js"

/** Which hosts a pattern means; `port` undefined is any port. */
export type HostPattern =
  & { readonly port: number | undefined }
  & (
    | { readonly _tag: "Any" }
    | { readonly _tag: "Below"; readonly name: string }
    | Host
  )

/** A host, and the port on it where there is one. */
export interface Target {
  readonly host: Host
  readonly port: number | undefined
}

const withPort = /^(?<host>.*):(?<port>\d{1,5})$/s

const split = (text: string): { readonly host: string; readonly port: string | undefined } => {
  // A bare IPv6 address has colons of its own.
  const isBareAddress = text.split(":").length > 2 && !text.includes("]")
  const { host, port } = (isBareAddress ? undefined : withPort.exec(text)?.groups) ?? {}
  return { host: host ?? text, port }
}

const examples =
  "write a host such as api.example.com, *.example.com for all below it, or an address, each with :PORT if need be"

const problem = (text: string, what: string) => `${JSON.stringify(text.slice(0, 100))} ${what}: ${examples}`

/** Reads a pattern: `api.example.com`, `*.example.com`, `127.0.0.1:8080`, `[::1]:8080`, `*`; or says what is wrong with it. */
export const parse = (text: string): Either.Either<HostPattern, string> => {
  const { host: hostText, port: portText } = split(text)
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65_535)) {
    return Either.left(problem(text, "has no port from 1 to 65535"))
  }
  if (hostText === "*") return Either.right({ _tag: "Any", port })
  const isBelow = hostText.startsWith("*.")
  const host = parseHost(isBelow ? hostText.slice(2) : hostText)
  if (host === undefined || hostText.slice(isBelow ? 2 : 0).includes("*")) {
    return Either.left(problem(text, "is no pattern of hosts"))
  }
  if (!isBelow) return Either.right({ ...host, port })
  return host._tag === "Name"
    ? Either.right({ _tag: "Below", name: host.name, port })
    : Either.left(problem(text, "is no pattern of hosts, because nothing is below an address"))
}

const hasPort = (pattern: HostPattern, { port }: Target): boolean =>
  pattern.port === undefined || port === undefined || pattern.port === port

const hasHost = (pattern: HostPattern, host: Host): boolean => {
  switch (pattern._tag) {
    case "Any":
      return host._tag === "Name" || kindOf(host.address) === "public"
    case "Below":
      return host._tag === "Name" && host.name.endsWith(`.${pattern.name}`)
    case "Name":
      return host._tag === "Name" && host.name === pattern.name
    case "Address":
      return host._tag === "Address" && host.address === pattern.address
  }
}

/** Whether a pattern means a target. Only an address that it names itself need not be public. */
export const means = (pattern: HostPattern, target: Target): boolean =>
  hasPort(pattern, target) && hasHost(pattern, target.host)

/**
 * Whether a pattern lets a target that is none of the public internet be at an address that is not, either: the address is named
 * itself, or the name is one that only one's own network has, and no metadata service is behind it.
 */
export const meansAddress = (pattern: HostPattern, target: Target, address: string): boolean =>
  means(pattern, { ...target, host: { _tag: "Address", address } }) ||
  (pattern._tag === "Name" && means(pattern, target) && isLocalName(pattern.name) && kindOf(address) === "private")
