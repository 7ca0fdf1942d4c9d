import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { LocalGateway } from "kruxos/local"
import { execFile, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { makeWorkspace } from "../suites/GatewayLayer.js"

const root = resolve(fileURLToPath(import.meta.url), "../../..")

/** The curl commands of the README, in order. */
const commands = [...readFileSync(`${root}/README.md`, "utf8").matchAll(/^curl (?:[^\n]|\n(?! *\n|```))*/gm)].map(
  ([command]) => command
)

const hasCurl = spawnSync("curl", ["--version"]).status === 0

const Answer = Schema.Struct({
  id: Schema.NullOr(Schema.Int),
  result: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
  error: Schema.optional(Schema.Struct({ code: Schema.Int, message: Schema.String }))
})

const decodeAnswer = Schema.decodeUnknown(Schema.parseJson(Answer))

const decodeBatch = Schema.decodeUnknown(Schema.parseJson(Schema.Array(Answer)))

describe.skipIf(!hasCurl)("the curl commands of the README", () => {
  it.scopedLive("do what it says", () =>
    Effect.gen(function*() {
      assert.strictEqual(commands.length, 5)
      const { apiKey, port } = yield* LocalGateway.serve({
        workspace: yield* makeWorkspace,
        dataDirectory: ":memory:",
        port: 0
      })
      const outputs = yield* Effect.forEach(commands, (command) =>
        Effect.promise(() =>
          promisify(execFile)("bash", ["-c", command.replaceAll("127.0.0.1:7700", `127.0.0.1:${port}`)], {
            timeout: 10_000,
            env: { ...process.env, KRUXOS_API_KEY: Redacted.value(apiKey) }
          })
        ).pipe(Effect.map(({ stdout }) =>
          stdout
        )))
      const [list, describe, invoke, batch, wrongKey] = outputs
      const listed = yield* decodeAnswer(list)
      assert.strictEqual(Arr.isArray(listed.result?.["capabilities"]) ? listed.result["capabilities"].length : 0, 4)
      assert.strictEqual((yield* decodeAnswer(describe)).result?.["name"], "filesystem.read")
      assert.isTrue((yield* decodeAnswer(invoke)).result?.["success"])
      assert.deepStrictEqual((yield* decodeBatch(batch)).map(({ id, result }) => [id, result?.["success"]]), [
        [4, true],
        [5, true]
      ])
      assert.match(wrongKey ?? "", /^HTTP\/1\.1 401 /)
      assert.strictEqual((yield* decodeAnswer((wrongKey ?? "").split("\r\n\r\n")[1])).error?.code, -32003)
    }))
})
