import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Policy } from "../../../src/local/policy/Policy.js"
import * as PolicyLayer from "../../../src/local/policy/policyLayer.js"
import { layerOfRules, type TierRules } from "../../../src/local/policy/TierRules.js"
import type { Agent } from "../../../src/local/store/Agents.js"
import { folders } from "../../support/gateway.js"
import { withLogs } from "../../support/logs.js"
import { capabilities, capability } from "./support.js"

const bob: Agent = {
  name: "bob",
  purpose: "",
  policyGroup: "default",
  workspace: Option.none(),
  status: "active",
  keyGeneration: 1,
  createdAt: DateTime.unsafeMake(0)
}

const started = (tiers: TierRules["tiers"]) =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    const layer = PolicyLayer.layer({ choice: { tiers }, dataDirectory: undefined, workspace, capabilities })
    const { decide, listedTier } = yield* Effect.provide(Policy, yield* Layer.build(layer))
    return {
      tierOf: (name: string) => decide(bob, capability(name), {}, 0).tier,
      ruleOf: (name: string) => decide(bob, capability(name), {}, 0).rule,
      listedTier: (name: string) => listedTier(bob, capability(name))
    }
  })

const problemsOf = (rules: unknown) =>
  Either.match(layerOfRules(rules), {
    onLeft: ({ problems }) => problems.map(({ file, message }) => `${file}: ${message}`),
    onRight: () => []
  })

describe("tiers that a program gives", () => {
  it.scopedLive("hold by the most specific pattern, and what they do not name has the tier of the catalogue", () =>
    Effect.gen(function*() {
      const { listedTier, ruleOf, tierOf } = yield* started({
        "filesystem.*": "approval_required",
        "filesystem.read": "autonomous",
        "system.time": "blocked"
      })
      assert.strictEqual(tierOf("filesystem.write"), "approval_required")
      assert.strictEqual(ruleOf("filesystem.write"), "organization:filesystem.*")
      assert.strictEqual(tierOf("filesystem.read"), "autonomous")
      assert.strictEqual(listedTier("system.time"), "blocked")
      assert.strictEqual(tierOf("process.run"), capability("process.run").tier)
    }))

  it.scopedLive("leave blocked what every template blocks, unless they name it", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* started({ "*": "autonomous" })).tierOf("email.bulk_delete"), "blocked")
      assert.strictEqual((yield* started({ "*": "autonomous" })).tierOf("process.run"), "autonomous")
      const named = yield* started({ "email.bulk_delete": "approval_required" })
      assert.strictEqual(named.tierOf("email.bulk_delete"), "approval_required")
    }))

  it("are checked as those of a file are", () => {
    assert.deepStrictEqual(problemsOf({ tiers: { "filesystem.read": "autonomous" } }), [])
    assert.deepStrictEqual(problemsOf({ tiers: { "filesystem.read": "autonomus" } }), [
      "policy.tiers.filesystem.read: expected a tier: autonomous, notify, approval_required or blocked, not \"autonomus\"; did you mean autonomous?"
    ])
    assert.deepStrictEqual(
      problemsOf({ tiers: { "file*": "notify", "a b": "notify" } }).map((one) => one.slice(0, 46)),
      [
        "policy.tiers.file*: \"file*\" is no pattern: a s",
        "policy.tiers.a b: \"a b\" is no pattern: write a"
      ]
    )
    assert.strictEqual(problemsOf({ teirs: {} }).length, 2)
    assert.strictEqual(problemsOf({ tiers: {}, file: "policy.yaml" }).length, 1)
  })

  it.scopedLive("that are wrong keep a gateway from starting, also those that the compiler did not see", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const choice: TierRules = JSON.parse(`{ "tiers": { "process.run": "sometimes" } }`)
      const error = yield* Effect.flip(
        Layer.build(PolicyLayer.layer({ choice, dataDirectory: undefined, workspace, capabilities }))
      )
      assert.match(error.message, /^policy\.tiers\.process\.run: expected a tier/)
    }))

  it.scopedLive("warn of patterns that fit nothing", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        yield* started({ "filesystm.*": "blocked", "filesystem.*": "notify" })
        const warnings = logs.filter((line) => line.includes("fits no capability"))
        assert.strictEqual(warnings.length, 1)
        assert.include(warnings[0], "policy.tiers: filesystm.* fits no capability; did you mean filesystem.*?")
      })
    ))
})
