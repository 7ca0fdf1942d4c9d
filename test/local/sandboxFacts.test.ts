import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LocalGateway } from "kruxos/local"
import { folders } from "../support/gateway.js"

describe("what holds programs here", () => {
  it.scopedLive.each([{ sandbox: undefined }, { sandbox: "none" } as const])(
    "is known before a gateway is there, and the same then ($sandbox)",
    ({ sandbox }) =>
      Effect.gen(function*() {
        const facts = yield* LocalGateway.sandboxFacts(sandbox)
        const served = yield* LocalGateway.serve({ ...(yield* folders), port: 0, sandbox })
        assert.deepStrictEqual(facts, served.sandbox)
        assert.strictEqual(facts.kind === "none", sandbox === "none")
        assert.strictEqual(facts.problem === undefined, facts.kind !== "missing")
      })
  )
})
