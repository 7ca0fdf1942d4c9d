import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { parameters } from "../support/runs.js"
import * as Comparable from "./comparable.js"
import { localResults, mockResults } from "./differentialGateways.js"
import { program } from "./differentialPrograms.js"

const show = (value: unknown) => JSON.stringify(value, undefined, 1).slice(0, 2000)

describe("the mock gateway and the local one", () => {
  it.live(
    "give the same results to the same program",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(program, (made) =>
            Effect.runPromise(Effect.gen(function*() {
              const [mock, local] = yield* Effect.all([mockResults(made), localResults(made)], { concurrency: 2 })
              const [ofMock, ofLocal] = [mock.map(Comparable.make()), local.map(Comparable.make())]
              const first = ofMock.findIndex((result, index) =>
                JSON.stringify(result) !== JSON.stringify(ofLocal[index])
              )
              const told = first < 0
                ? ""
                : `result ${first}\nmock:  ${show(ofMock[first])}\nlocal: ${show(ofLocal[first])}`
              assert.deepStrictEqual(ofMock, ofLocal, told)
            }))),
          parameters(200)
        )
      ),
    300_000
  )
})
