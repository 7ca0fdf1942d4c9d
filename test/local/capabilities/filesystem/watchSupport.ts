import * as Schema from "effect/Schema"
import * as filesystem from "../../../../src/catalogue/filesystem.js"

/** An input as a handler gets it. */
export const inputOf = Schema.decodeUnknownSync(filesystem.watch.handlerInputSchema)

const Message = Schema.parseJson(Schema.Struct({
  watch_id: Schema.String,
  type: Schema.String,
  path: Schema.String,
  old_path: Schema.optional(Schema.String),
  dropped: Schema.optional(Schema.Int)
}))

/** A message of a watch, shortly: `modify /a`. */
export const shortly = (text: string): string => {
  const { dropped, old_path, path, type } = Schema.decodeUnknownSync(Message)(text)
  return [type, ...(old_path === undefined ? [] : [old_path]), path, ...(dropped === undefined ? [] : [dropped])]
    .join(" ").replaceAll("/workspace", "")
}
