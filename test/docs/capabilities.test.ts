import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { capabilityReference } from "../../scripts/capabilityReference.js"

it("docs/capabilities.md is what `npm run docs` makes of the catalogue", () => {
  const kept = readFileSync(new URL("../../docs/capabilities.md", import.meta.url), "utf8")
  assert.strictEqual(kept, capabilityReference())
})
