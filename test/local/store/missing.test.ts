import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { vi } from "vitest"
import * as Store from "../../../src/local/store/Store.js"

vi.mock("libsql", () => {
  throw new Error("Cannot find package 'libsql'")
})

it.effect("without its optional dependency the store says what to install", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Effect.scoped(Layer.build(Store.layer({ filename: ":memory:" }))))
    assert.deepInclude(error, { _tag: "StoreUnavailable", reason: "not-installed", path: ":memory:" })
    assert.match(error.message, /npm install libsql/)
  }))
