import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { policyName } from "../../../src/local/supervisor/policyName.js"
import { folders } from "../../support/gateway.js"

describe("the name of the policy", () => {
  it.scopedLive("is the template's, or the file's as soon as there is one", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      assert.strictEqual(yield* policyName("allow-all", dataDirectory), "allow-all")
      assert.strictEqual(yield* policyName("personal-permissive", undefined), "personal-permissive")
      assert.strictEqual(yield* policyName({ file: "/etc/policy.yaml" }, dataDirectory), "/etc/policy.yaml")
      assert.strictEqual(yield* policyName(undefined, undefined), "team-moderate")
      const name = policyName(undefined, dataDirectory)
      assert.strictEqual(yield* name, "team-moderate")
      fs.mkdirSync(join(dataDirectory, "policies"))
      const file = join(dataDirectory, "policies", "organization.yml")
      fs.writeFileSync(file, "")
      assert.strictEqual(yield* name, file)
    }))
})
