import { assert, it } from "@effect/vitest"
import { GeneralError } from "../../../src/errors/general.js"
import { general } from "./rows/general.js"
import { runFailures } from "./suite.js"

it("each of the errors that any capability can fail with has a row", () => {
  assert.deepStrictEqual(Object.keys(general).sort(), GeneralError.members.map(({ _tag }) => _tag).sort())
})

runFailures(general)
