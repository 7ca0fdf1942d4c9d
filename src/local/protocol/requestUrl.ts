import { urlOf } from "../urlOf.js"

const base = "http://gateway"

const absolute = (target: string) => target.startsWith("/") ? `${base}${target}` : target

/** The URL that a request asks for, as far as it is one: a client can send anything there. A path that begins with `//` names no host. */
export const requestUrl = (target: string | undefined): URL | undefined =>
  target === undefined ? undefined : urlOf(absolute(target), base)
