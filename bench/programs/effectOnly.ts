import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

class FileNotFound extends Schema.TaggedError<FileNotFound>()("FileNotFound", { path: Schema.String }) {}

const File = Schema.Struct({ content: Schema.String, modified: Schema.optional(Schema.DateTimeUtc) })

class Files extends Context.Tag("bench/Files")<Files, {
  readonly read: (path: string) => Effect.Effect<typeof File.Type, FileNotFound>
}>() {}

const layer = (key: Redacted.Redacted<string>) =>
  Layer.scoped(
    Files,
    Effect.map(
      Effect.acquireRelease(Effect.succeed(new Map([[Redacted.value(key), ""]])), () => Effect.void),
      (map) => ({
        read: (path: string) =>
          Schema.decodeUnknown(File)({ content: map.get(path) }).pipe(
            Effect.mapError(() => new FileNotFound({ path }))
          )
      })
    )
  )

const program = Effect.gen(function*() {
  const { read } = yield* Files
  const { content, modified } = yield* read("/workspace/notes.txt").pipe(
    Effect.catchTag("FileNotFound", () => Effect.succeed({ content: "", modified: undefined }))
  )
  yield* Effect.log(content, modified && DateTime.formatIso(modified))
})

Effect.runFork(program.pipe(Effect.provide(layer(Redacted.make("an agent's key")))))
