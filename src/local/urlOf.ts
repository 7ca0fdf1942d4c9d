import * as Url from "@effect/platform/Url"
import * as Either from "effect/Either"

/**
 * The URL that a text is, if it is one. Node's `URL.canParse` is not to be asked: it takes some texts with characters beyond ASCII for
 * URLs that `new URL` refuses.
 */
export const urlOf = (text: string, base?: string): URL | undefined =>
  Either.getOrUndefined(base === undefined ? Url.fromString(text) : Url.fromString(text, base))
