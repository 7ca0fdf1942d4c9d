import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { keepHead } from "../../../src/local/audit/anchoring.js"
import type { Head } from "../../../src/local/audit/chain.js"
import * as HeadFile from "../../../src/local/audit/head.js"
import { GatewayInstance } from "../../../src/local/store/GatewayInstance.js"
import { temporaryDirectory } from "../workspace/support.js"

const headAt = (sequence: number): Head => ({ sequence, hash: String(sequence).padStart(64, "0") })

/** A gateway that keeps where the log ended when it wrote last, or when it started. */
const gateway = (id: string, directory: string, start?: Head) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    let head = Option.fromNullable(start)
    yield* keepHead(directory, () => head).pipe(
      Scope.extend(scope),
      Effect.provideService(GatewayInstance, { id, isAlive: () => true })
    )
    return {
      wrote: (sequence: number) =>
        Effect.sync(() => {
          head = Option.some(headAt(sequence))
        }),
      end: Scope.close(scope, Exit.void)
    }
  })

describe("where the audit log ends, as two gateways on one data directory keep it", () => {
  it.scoped("is not what the one knew that ends last, but has written less far", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const kept = HeadFile.read(HeadFile.fileIn(directory))
      const one = yield* gateway("one", directory)
      const other = yield* gateway("other", directory)
      yield* one.wrote(3)
      yield* other.wrote(5)
      yield* other.end
      assert.deepStrictEqual(yield* kept, Option.some(headAt(5)))
      yield* one.end
      assert.deepStrictEqual(yield* kept, Option.some(headAt(5)))
    }))

  it.scoped("is kept again at the end where another has put an older one in its place", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = HeadFile.fileIn(directory)
      const one = yield* gateway("one", directory, headAt(5))
      yield* HeadFile.write(file, headAt(3), "other")
      yield* one.end
      assert.deepStrictEqual(yield* HeadFile.read(file), Option.some(headAt(5)))
    }))

  it.scoped("goes back with a log that was cut off before it started", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = HeadFile.fileIn(directory)
      yield* HeadFile.write(file, headAt(9), "former")
      const one = yield* gateway("one", directory, headAt(9))
      yield* one.wrote(4)
      yield* one.end
      assert.deepStrictEqual(yield* HeadFile.read(file), Option.some(headAt(4)))
    }))
})
