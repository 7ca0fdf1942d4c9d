import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Supervisors } from "../store/Supervisors.js"
import * as SupervisorToken from "../store/SupervisorToken.js"
import { type DataDirectory, DataDirectoryUnavailable } from "./DataDirectory.js"

const noToken = (path: string) =>
  new DataDirectoryUnavailable({
    path,
    message: `The supervisor's token in the data directory ${path} is none: delete the file, and another one is made`,
    cause: undefined
  })

const kept = (data: DataDirectory) =>
  Effect.gen(function*() {
    const found = yield* data.readSupervisorToken
    if (Option.isSome(found)) return found.value
    yield* data.addSupervisorToken(SupervisorToken.generate())
    return yield* Effect.flatMap(
      data.readSupervisorToken,
      Option.match({ onNone: () => Effect.fail(noToken(data.path)), onSome: Effect.succeed })
    )
  })

/**
 * The supervisor's token: the one that the data directory keeps, where it is made at the first start. Whoever deletes the file
 * gets another one at the next start, and the old one is refused.
 */
export const token = (data: Option.Option<DataDirectory>) =>
  Effect.gen(function*() {
    const supervisors = yield* Supervisors
    const found = Option.isSome(data) ? yield* kept(data.value) : SupervisorToken.generate()
    if (!SupervisorToken.isWellFormed(found)) {
      return yield* noToken(Option.match(data, { onNone: () => "", onSome: ({ path }) => path }))
    }
    yield* supervisors.register(found)
    return found
  })
