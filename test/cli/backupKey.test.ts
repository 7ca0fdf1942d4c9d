import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { dataDirectory } from "../local/archive/support.js"
import { kruxos, startGateway } from "./kruxos.js"

it.scopedLive(
  "kruxos gateway --backup-key-file encrypts backups with the key of a file",
  () =>
    Effect.gen(function*() {
      const file = join(yield* dataDirectory, "key")
      fs.writeFileSync(file, `${"0f".repeat(32)}\n`)
      const { env } = yield* startGateway(["--allow-all", "--backup-key-file", file])
      const backup = kruxos(["invoke", "state.backup.create", "{}"], { env })
      const made = yield* backup
      assert.strictEqual(made.code, 0, made.stderr)
      assert.deepInclude(JSON.parse(made.stdout), { scope: "full" })
      fs.writeFileSync(file, "no key")
      const refused = yield* backup
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "VaultLocked: The file with the key for backups holds none")
    }),
  40_000
)
