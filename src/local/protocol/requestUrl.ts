const base = "http://gateway"

/** The URL that a request asks for, as far as it is one: a client can send anything there. */
export const requestUrl = (target: string | undefined): URL | undefined =>
  target !== undefined && URL.canParse(target, base) ? new URL(target, base) : undefined
