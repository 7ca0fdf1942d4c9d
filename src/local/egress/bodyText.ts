import { Buffer } from "node:buffer"

const textual = new RegExp(
  "^(?:text/.*|application/(?:.*\\+)?(?:json|xml|yaml)|application/(?:json5|jsonl|ndjson|x-ndjson|json-seq|javascript"
    + "|ecmascript|x-javascript|typescript|x-yaml|toml|sql|graphql|x-sh|x-www-form-urlencoded|xhtml|xml-dtd|rtf|pgp-keys"
    + "|x-httpd-php|x-tex|x-latex)|image/svg\\+xml|message/.*|model/.*\\+xml)$",
  "i"
)

const decoderOf = (charset: string | undefined): TextDecoder => {
  try {
    return new TextDecoder(charset ?? "utf-8")
  } catch {
    return new TextDecoder()
  }
}

const isText = (bytes: Uint8Array): boolean => {
  if (bytes.includes(0)) return false
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/**
 * A body as text: in its charset where its type is one of text, else in base64. One that does not say of which type it is counts as
 * text if it is UTF-8.
 */
export const bodyText = (bytes: Uint8Array, contentType: string | undefined): string => {
  const [type = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim())
  const charset = /^charset="?([^";]+)"?$/i
  const named = parameters.flatMap((parameter) => charset.exec(parameter)?.[1] ?? [])[0]
  return textual.test(type) || (type === "" && isText(bytes))
    ? decoderOf(named).decode(bytes)
    : Buffer.from(bytes).toString("base64")
}
