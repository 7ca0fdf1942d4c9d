import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import { createTwoFilesPatch } from "diff"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { builtIn } from "../catalogue/builtIn.js"
import { Capabilities } from "../services/Capabilities.js"
import { withGateway } from "./client.js"
import { moduleOf } from "./codegen/moduleOf.js"
import { type CommandFailed, failed, usageFailed } from "./exit.js"
import { explainFailure } from "./explainFailure.js"
import { print, printError } from "./print.js"

const isKnown = (name: string) => Object.hasOwn(builtIn, name)

/** The module for the gateway as it is now. A listing may leave most of a definition out, so each is asked for whole. */
const currentModule = Effect.gen(function*() {
  const capabilities = yield* Capabilities
  const listed = yield* capabilities.list()
  const whole = yield* Effect.forEach(
    listed.filter(({ name }) => !isKnown(name)),
    (definition) =>
      Effect.catchTag(capabilities.describe(definition.name), "CapabilityNotFound", () => Effect.succeed(definition)),
    { concurrency: 8 }
  )
  return moduleOf(whole, isKnown)
}).pipe(Effect.mapError(explainFailure))

const write = (file: string, module: string): Effect.Effect<void, CommandFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    yield* Effect.mapError(
      files.writeFileString(file, module),
      ({ message }) => failed(`${file} cannot be written: ${message}`)
    )
    yield* printError(`${file} is written`)
  })

const check = (file: string, module: string): Effect.Effect<void, CommandFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const kept = yield* Effect.mapError(
      files.readFileString(file),
      () => failed(`${file} cannot be read: make it with \`kruxos codegen --out ${file}\``)
    )
    if (kept === module) return yield* printError(`${file} is what the gateway has`)
    yield* print(createTwoFilesPatch(file, "the gateway now", kept, module, undefined, undefined, { context: 2 }))
    return yield* failed(
      `The gateway has changed since ${file} was made: make it anew with \`kruxos codegen --out ${file}\``
    )
  })

const file = (name: string, description: string) =>
  Options.text(name).pipe(Options.withPseudoName("FILE"), Options.withDescription(description), Options.optional)

/** `kruxos codegen` */
export const codegen = Command.make(
  "codegen",
  {
    out: file("out", "Write the module to this file."),
    check: file(
      "check",
      "Compare this file with what would be written; exit 1 and show the difference if there is one."
    )
  },
  ({ check: checked, out }) => {
    if (Option.isSome(out) === Option.isSome(checked)) {
      return Effect.fail(usageFailed("codegen takes --out FILE or --check FILE, one of the two"))
    }
    return Effect.flatMap(withGateway(currentModule), (module) =>
      Option.isSome(out)
        ? write(out.value, module)
        : Option.match(checked, { onNone: () => Effect.void, onSome: (path) => check(path, module) }))
  }
).pipe(
  Command.withDescription("Write a typed module of those capabilities of the gateway that the package does not know.")
)
