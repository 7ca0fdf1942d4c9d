import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as filesystem from "../../catalogue/filesystem.js"
import { diskAsResource, parentAsInput } from "../capabilities/filesystem/failures.js"
import * as EffectCheck from "./EffectCheck.js"
import { changedMeanwhile, Evidence, glanceAt, isSame } from "./evidence.js"

const State = Schema.Struct({ source: Evidence, target: Evidence })

/**
 * A move that may not overwrite gives a file a second name before it takes the first one away; every other move is one step.
 */
export const moveCheck = EffectCheck.make(filesystem.move, State, {
  paths: ({ destination, source }) => [source, destination],
  before: (input, { workspace }) =>
    Effect.gen(function*() {
      return {
        source: yield* glanceAt(workspace, yield* workspace.resolve(input.source)),
        target: yield* glanceAt(workspace, yield* workspace.resolve(input.destination))
      }
    }),
  after: (input, { source, target }, { workspace }) =>
    Effect.gen(function*() {
      const from = yield* workspace.resolve(input.source)
      const to = yield* workspace.resolve(input.destination)
      const left = yield* glanceAt(workspace, from)
      const there = yield* glanceAt(workspace, to)
      if (isSame(left, source) && isSame(there, target)) return EffectCheck.notDone
      if (source.type === "absent" || !isSame(there, source)) return EffectCheck.unknown(changedMeanwhile(to))
      const output = { source: from.display, destination: to.display, size: source.size }
      if (left.type === "absent") return EffectCheck.done(output)
      if (!isSame(left, source)) {
        // Something new has the first name.
        return isSame(target, source) ? EffectCheck.unknown(changedMeanwhile(from)) : EffectCheck.done(output)
      }
      if (input.overwrite || target.type !== "absent") return EffectCheck.unknown(changedMeanwhile(to))
      // Where both are names of one file, this takes the first one away; else equal bytes take the place of equal bytes.
      const finish = workspace.move(from, to, { overwrite: true }).pipe(
        Effect.as(output),
        Effect.catchTags({ ParentNotFound: parentAsInput("destination"), DiskFull: diskAsResource })
      )
      return { _tag: "PartlyDone", finish }
    })
})
