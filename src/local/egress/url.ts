import * as Either from "effect/Either"
import { urlOf } from "../urlOf.js"
import { hostOfUrl } from "./Host.js"

const longest = 8192

/** Whether a URL is one of the web, with nobody's name or password in it. */
export const isWebUrl = ({ password, port, protocol, username }: URL): boolean =>
  (protocol === "https:" || protocol === "http:") && username === "" && password === "" && port !== "0"

/** Reads a URL that a request can be sent to, or says what is wrong with it. */
export const parseUrl = (text: string): Either.Either<URL, string> => {
  if (text.length > longest) return Either.left(`it is longer than ${longest} characters`)
  const url = urlOf(text)
  if (url === undefined) return Either.left("it is no whole URL")
  if (url.protocol !== "https:" && url.protocol !== "http:") return Either.left("it is neither http nor https")
  if (url.username !== "" || url.password !== "") return Either.left("there is a user name or a password in it")
  if (!isWebUrl(url) || hostOfUrl(url) === undefined) return Either.left("its host or its port is none")
  url.hash = ""
  return Either.right(url)
}
