import * as Either from "effect/Either"

/** What HTTP itself needs to say of a connection and of where a message ends: two that disagree make two requests of one. */
const reserved = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via"
])

const mostBytes = 32 * 1024

const isName = (text: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(text)

const isValue = (text: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(text)

const shown = (name: string): string => JSON.stringify(name.slice(0, 64))

type Headers = ReadonlyArray<readonly [name: string, value: string]>

const defaults: Headers = [["accept", "*/*"], ["accept-encoding", "identity"], ["user-agent", "kruxos-gateway"]]

/** The headers of a request, or what is wrong with those that were asked for; never one of their values. */
export const requestHeaders = (given: { readonly [name: string]: string }): Either.Either<Headers, string> => {
  const names = new Set<string>()
  let size = 0
  for (const [name, value] of Object.entries(given)) {
    const folded = name.toLowerCase()
    if (!isName(name)) return Either.left(`${shown(name)} is no name of a header`)
    if (reserved.has(folded)) return Either.left(`${shown(name)} is set by the gateway`)
    if (names.has(folded)) return Either.left(`${shown(name)} is there twice`)
    if (!isValue(value)) return Either.left(`the value of ${shown(name)} has characters that no header can have`)
    names.add(folded)
    size += name.length + value.length
  }
  return size > mostBytes
    ? Either.left(`they are longer than ${mostBytes} bytes`)
    : Either.right([...defaults.filter(([name]) => !names.has(name)), ...Object.entries(given)])
}
