import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { createHash } from "node:crypto"
import { recordedArguments, recordedText } from "../../../src/local/audit/recorded.js"
import { at, listAt, textAt } from "../../support/json.js"
import { parameters } from "../../support/runs.js"

const marker = "s3cr3t-m4rk3r"

const recorded = (input: unknown): unknown => JSON.parse(recordedArguments(input))

describe("the arguments in the audit log", () => {
  it("are there as they are, where nothing in them is secret", () => {
    for (
      const input of [
        {},
        { path: "a/b.txt", recursive: true, depth: 3, names: ["x", null] },
        { command: "ls -la src && echo done", note: "passing the tokenizer" },
        { url: "https://example.com:8080/a?b=c&keys=d", secret_name: "github" },
        { headers: { accept: "text/html", "x-request-id": "1" }, signature: "Yours, A" }
      ]
    ) {
      assert.deepStrictEqual(recorded(input), input)
    }
    assert.strictEqual(recordedArguments(undefined), "{}")
  })

  it("hold no secret, by the name that it has or by what it looks like", () => {
    const secrets: ReadonlyArray<unknown> = [
      { password: marker },
      { deep: [{ apiKey: marker, list: [{ "Set-Cookie": [marker] }] }] },
      { headers: { Authorization: `Bearer ${marker}`, "X-Api-Key": marker } },
      { headers: [{ name: "x", value: `Bearer ${marker}` }, `authorization: Basic ${marker}==`] },
      { env: { GITHUB_TOKEN: marker, DATABASE: `postgres://user:${marker}@host/db` } },
      { command: `curl -H 'Authorization: Bearer ${marker}' https://x` },
      { command: `deploy --password ${marker} --api-key=${marker} --token "${marker}"` },
      { command: "mysql", args: ["--password", marker, "-h", "db"] },
      { command: `export API_KEY=${marker}; run` },
      { url: `https://me:${marker}@example.com/?access_token=${marker}&b=1` },
      { url: `https://example.com/a?X-Amz-Signature=${marker}&sig=${marker}&key=${marker}#end` },
      { headers: { "X-Auth": marker, "X-Hub-Signature": marker, "Ocp-Apim-Subscription-Key": marker } },
      { body: `{"user":"a","password":"${marker}"}` },
      { body: `client_secret=${marker}&grant=x` },
      { content: `-----BEGIN RSA PRIVATE KEY-----\n${marker}\n-----END RSA PRIVATE KEY-----` },
      { [`password`]: { inner: marker } },
      { password: marker.repeat(1000) },
      // It may be anywhere in what is too long to be there.
      { content: `${"a".repeat(2000)}${marker}` }
    ]
    for (const input of secrets) {
      const text = recordedArguments(input)
      assert.notInclude(text, marker)
      // In halves neither.
      assert.notInclude(text, "m4rk3r")
    }
    assert.strictEqual(recordedText(`git push https://me:${marker}@x`), "git push https://me:[secret]@x")
  })

  it("name a long text by its length and its SHA-256", () => {
    const content = "é".repeat(2000)
    const kept = recorded({ path: "a", content, short: "x".repeat(1024) })
    assert.strictEqual(textAt(kept, "path"), "a")
    assert.strictEqual(textAt(kept, "short"), "x".repeat(1024))
    assert.strictEqual(at(kept, "content", "characters"), 2000)
    assert.strictEqual(textAt(kept, "content", "sha256"), createHash("sha256").update(content).digest("hex"))
    assert.isBelow(recordedArguments({ content: "x".repeat(16 * 1024 * 1024) }).length, 200)
  })

  it("are few, and quickly made, whatever they are", () => {
    const deep = (levels: number) => Array.from({ length: levels }).reduce((inner: unknown) => [inner], 1)
    const hostile: ReadonlyArray<unknown> = [
      deep(100_000),
      Array.from({ length: 1_000_000 }, () => "x"),
      { list: Array.from({ length: 900 }, () => "y".repeat(1000)) },
      Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`name${index}`, index])),
      { ["n".repeat(1_000_000)]: 1 },
      { a: "a://".repeat(256), b: "password".repeat(128), c: "--".repeat(512), d: "-----BEGIN ".repeat(90) }
    ]
    for (const input of hostile) assert.isBelow(recordedArguments(input).length, 10_000)
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue({ maxDepth: 5 }), (input) => {
        const text = recordedArguments(input)
        JSON.parse(text)
        assert.isBelow(text.length, 10_000)
      }),
      parameters(500)
    )
    assert.isAbove(listAt(recorded({ list: [1, 2] }), "list").length, 1)
  })
})
