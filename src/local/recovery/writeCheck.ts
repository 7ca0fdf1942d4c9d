import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as filesystem from "../../catalogue/filesystem.js"
import { encode, encodingOf } from "../capabilities/filesystem/encodings.js"
import * as EffectCheck from "./EffectCheck.js"
import { changedMeanwhile, Evidence, glanceThrough, isContent, isSame, lookInto } from "./evidence.js"

const Content = Schema.Struct({ size: Schema.Number, sha256: Schema.String })

/** Of long content only the digest is kept. */
const State = Schema.Struct({ target: Evidence, content: Schema.optional(Content) })

const mostKept = 64 * 1024

const isLong = (content: unknown) => typeof content === "string" && content.length > mostKept

const contentOf = (input: { readonly content: string; readonly encoding: string }) =>
  Effect.gen(function*() {
    const bytes = yield* encode(input.content, yield* encodingOf(input.encoding))
    return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }
  })

/**
 * A write is one step: the file has the old bytes or the new ones. What is there before that step (new parent directories,
 * a temporary file) is no effect.
 */
export const writeCheck = EffectCheck.make(filesystem.write, State, {
  paths: ({ path }) => [path],
  kept: (input) => isLong(input["content"]) ? { ...input, content: "" } : input,
  before: (input, { workspace }) =>
    Effect.gen(function*() {
      const target = yield* glanceThrough(workspace, yield* workspace.resolve(input.path))
      return isLong(input.content) ? { target, content: yield* contentOf(input) } : { target }
    }),
  after: (input, { content: known, target }, { workspace }) =>
    Effect.gen(function*() {
      const path = yield* workspace.resolve(input.path)
      const now = yield* lookInto(workspace, path)
      if (isSame(now, target)) return EffectCheck.notDone
      const content = known ?? (yield* contentOf(input))
      if (!isContent(now, content)) return EffectCheck.unknown(changedMeanwhile(path))
      return isContent(target, content)
        ? EffectCheck.notDone
        : EffectCheck.done({ path: path.display, size: content.size, checksum: content.sha256 })
    })
})
