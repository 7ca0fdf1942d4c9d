import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { packageVersion } from "../../src/connection/Options.js"

it("says the version that package.json says", () => {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8")
  )
  assert.strictEqual(packageVersion, version)
})
