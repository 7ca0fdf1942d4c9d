import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import { join } from "node:path"
import { serveHttp } from "../local/egress/servers.js"
import { within } from "../support/deadline.js"
import { at, listAt, textAt } from "../support/json.js"
import { folders, kruxos, type RunOptions, start, startGateway } from "./kruxos.js"

const value = "kx-7Yp2-Qq.Zz_9-secret"

const scopes = [
  "--agent",
  "agent",
  "--capability",
  "network.credentialed_request",
  "--host",
  "127.0.0.1"
] as const

/** All that is on disk below a directory, as one text. */
const contentOf = (directory: string): string =>
  fs.readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => fs.statSync(path).isFile())
    .map((path) => fs.readFileSync(path, "latin1"))
    .join("\n")

const isNowhereIn = (text: string) => {
  for (const form of [value, Buffer.from(value).toString("base64").slice(0, 28), Buffer.from(value).toString("hex")]) {
    assert.notInclude(text, form)
  }
}

const succeeding = (args: ReadonlyArray<string>, options?: RunOptions) =>
  Effect.map(kruxos(args, options), (ended) => {
    assert.strictEqual(ended.code, 0, ended.stderr)
    isNowhereIn(`${ended.stdout}${ended.stderr}`)
    return ended.stdout
  })

const failing = (args: ReadonlyArray<string>, options: RunOptions = {}, code = 1) =>
  Effect.map(kruxos(args, options), (ended) => {
    assert.strictEqual(ended.code, code, ended.stderr)
    assert.strictEqual(ended.stdout, "")
    isNowhereIn(ended.stderr)
    return ended.stderr
  })

describe("kruxos vault", () => {
  it.scopedLive(
    "keeps a secret for an agent, which uses it through a gateway that runs, and never sees it",
    () =>
      Effect.gen(function*() {
        const received: Array<string | undefined> = []
        const server = yield* serveHttp((incoming, outgoing) => {
          received.push(incoming.headers.authorization)
          outgoing.end(`You are ${incoming.headers.authorization}`)
        })
        const gateway = yield* startGateway(["--allow-host", "127.0.0.1", "--allow-all"])
        const data = ["--data", gateway.dataDirectory]
        const add = yield* start(["vault", "add", "--name", "github", ...scopes, ...data], { stdin: `${value}\n` })
        const added = yield* add.ended
        assert.strictEqual(added.code, 0, added.stderr)
        assert.strictEqual(added.stdout, "Secret github is kept.\n")
        isNowhereIn(`${added.stdout}${added.stderr}`)

        const input = JSON.stringify({ url: `http://127.0.0.1:${server.port}/`, secret_name: "github" })
        const request = kruxos(["invoke", "network.credentialed_request", input], { env: gateway.env })
        const first = yield* request
        assert.strictEqual(first.code, 0, first.stderr)
        assert.strictEqual(textAt(JSON.parse(first.stdout), "body"), "You are Bearer [REDACTED]")
        assert.deepStrictEqual(received, [`Bearer ${value}`])

        const listed = listAt(JSON.parse(yield* succeeding(["vault", "list", "--json", ...data])))
        assert.strictEqual(listed.length, 1)
        const [one] = listed
        assert.deepInclude(one, {
          name: "github",
          type: "api_key",
          agents: ["agent"],
          allowed_capabilities: ["network.credentialed_request"],
          hosts: ["127.0.0.1"],
          rotated_at: null,
          revoked: false
        })
        const table = yield* succeeding(["vault", "list", ...data])
        assert.match(table, /^NAME +STATUS +TYPE +AGENTS +CAPABILITIES +HOSTS +VALUE SINCE\n/)
        assert.match(table, /\ngithub +active +api_key +agent +network\.credentialed_request +127\.0\.0\.1 +\S+\n$/)

        yield* succeeding(["vault", "rotate", "--name", "github", ...data], { stdin: "another-value-of-it\r\n" })
        assert.strictEqual((yield* request).code, 0)
        assert.strictEqual(received[1], "Bearer another-value-of-it")

        // Neither in the files of the gateway nor in a backup of its state.
        const backup = yield* kruxos(["invoke", "state.backup.create", "{}"], { env: gateway.env })
        assert.strictEqual(backup.code, 0, backup.stderr)
        yield* succeeding(["vault", "revoke", "--name", "github", ...data])
        const revoked = yield* request
        assert.strictEqual(revoked.code, 1)
        assert.include(revoked.stderr, "SecretNotFound")
        assert.strictEqual(received.length, 2)
        const onDisk = contentOf(gateway.dataDirectory)
        isNowhereIn(onDisk)
        assert.notInclude(onDisk, "another-value-of-it")
        isNowhereIn(`${gateway.stdout()}${gateway.stderr()}`)

        const audit = yield* succeeding(["audit", "list", "--json", "--limit", "1000", ...data])
        for (const kind of ["secret_added", "secret_rotated", "secret_revoked", "secrets.use"]) {
          assert.include(audit, kind)
        }
        assert.notInclude(audit, "another-value-of-it")
      }),
    60_000
  )

  it.scopedLive(
    "takes a value from standard input alone, and shows it on no command line",
    () =>
      Effect.gen(function*() {
        const { dataDirectory } = yield* folders
        const data = ["--data", dataDirectory]
        const given = yield* kruxos(["vault", "add", "--name", "a", ...scopes, "--value", value, ...data], {
          stdin: value
        })
        assert.strictEqual(given.code, 2)
        const running = yield* start(["vault", "add", "--name", "a", ...scopes, ...data], { stdin: value })
        const commands = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => {
          try {
            return fs.readFileSync(`/proc/${name}/cmdline`, "utf8")
          } catch {
            return ""
          }
        })
        assert.isTrue(commands.some((command) => command.includes("vault\0add")))
        isNowhereIn(commands.join("\n"))
        assert.strictEqual((yield* running.ended).code, 0)
      }).pipe(within("kruxos vault", "40 seconds")),
    45_000
  )

  it.scopedLive("says in one line what is wrong", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      const data = ["--data", dataDirectory]
      const add = (
        name: string,
        ...more: ReadonlyArray<string>
      ) => ["vault", "add", "--name", name, ...scopes, ...more, ...data]
      const stdin = value
      assert.include(
        yield* failing(["vault", "add", "--name", "a", "--agent", "agent", ...data], { stdin }, 2),
        "could never be used"
      )
      assert.include(yield* failing(add("../a"), { stdin }), "no name of a secret")
      assert.include(yield* failing(add("a", "--host", "https://x"), { stdin }), "no pattern of hosts")
      assert.include(yield* failing(add("a", "--capability", "nothing"), { stdin }), "no pattern")
      assert.include(yield* failing(add("a"), { stdin: "" }), "no value on standard input")
      assert.include(yield* failing(add("a"), { stdin: "\n" }), "no value on standard input")
      assert.include(yield* failing(add("a"), { stdin: "short" }), "8 characters at least")
      assert.include(yield* failing(add("a"), { stdin: Buffer.from(`${value}\xff`, "latin1") }), "no text in UTF-8")
      assert.include(yield* failing(add("a"), { stdin: `${value}\0` }), "NUL")
      assert.include(yield* failing(add("a"), { stdin: value.repeat(800) }), "16384 characters at most")
      assert.include(yield* failing(add("a"), { stdin: value.repeat(500_000) }), "longer than 131072 bytes")
      assert.include(
        yield* failing(add("a", "--type", "oauth_token"), { stdin: "{\"a\":1}" }),
        "without an access_token"
      )
      yield* succeeding(add("a"), { stdin })
      assert.include(yield* failing(add("a"), { stdin }), "`kruxos vault rotate` replaces its value")
      assert.include(yield* failing(["vault", "rotate", "--name", "b", ...data], { stdin }), "no secret named b")
      assert.include(yield* failing(["vault", "revoke", "--name", "b", ...data]), "no secret named b")
      assert.include(
        yield* failing(add("b"), { stdin, env: { KRUXOS_VAULT_PASSPHRASE: "other" } }),
        "made with a key file"
      )
      const file = join(dataDirectory, "key")
      fs.writeFileSync(file, "ab".repeat(32))
      assert.include(yield* failing(add("b", "--vault-key-file", file), { stdin }), "made with another key")
    }), 90_000)

  it.scopedLive("works with a passphrase, at the gateway, too", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const env = { KRUXOS_VAULT_PASSPHRASE: "correct horse battery" }
      const data = ["--data", used.dataDirectory]
      yield* succeeding(["vault", "add", "--name", "a", ...scopes, ...data], { stdin: value, env })
      assert.isFalse(fs.existsSync(join(used.dataDirectory, "vault.key")))
      const gateway = yield* startGateway(["--allow-all"], used, { env })
      const use = JSON.stringify({ secret_name: "a", capability: "network.credentialed_request" })
      const found = yield* kruxos(["invoke", "secrets.use", use], { env: gateway.env })
      assert.strictEqual(found.code, 0, found.stderr)
      assert.isTrue(at(JSON.parse(found.stdout), "used"))
    }), 60_000)
})
