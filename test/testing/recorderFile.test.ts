import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Capabilities, Gateway, State } from "kruxos"
import * as fs from "node:fs"
import { dirname } from "node:path"
import { ConnectionFailed } from "../../src/errors/gateway.js"
import { Recorder } from "../../src/testing/recorder/Recorder.js"
import { connectionOptions } from "../connection/linkSupport.js"
import { success } from "../services/support.js"
import { at } from "../support/json.js"
import { initialized, make, native } from "../support/scriptedGateway.js"
import { cassettePath, realGateway } from "./recorderGateways.js"
import { cassetteWith, fileWith, invoked, record, replay, scriptedLayer } from "./recorderSupport.js"

const key = "a-key-nobody-may-see-7f3a"

/** Answers every invocation with its arguments, and one with what is a secret in an answer. */
const echoing = make(initialized(({ id, params }, server) => {
  switch (at(params, "capability")) {
    case "network.http_request":
      return server.answer(
        id,
        success({
          status_code: 200,
          headers: { "set-cookie": "cookie-secret-1", "content-type": "text/plain", "x-api-key": "header-secret-2" },
          body: `{"access_token":"body-secret-3","expires_in":3600,"user":"me"}`,
          duration_ms: 7,
          url: "https://example.com/"
        })
      )
    case "state.persistent.get":
      return server.answer(
        id,
        success({
          found: true,
          value: { deep: "state-secret-4" },
          version: 1,
          created_at: "2026-01-02T03:04:05Z",
          updated_at: "2026-01-02T03:04:05Z"
        })
      )
    case "secrets.list":
      return server.answer(
        id,
        success({
          secrets: [{
            name: "github",
            type: "api_key",
            allowed_capabilities: ["git.push"],
            created_at: "2026-01-02T03:04:05Z",
            revoked: false
          }],
          total: 1
        })
      )
    case "filesystem.read":
      return server.refuse(id, {
        code: -32050,
        message: `The key ${key} was refused`,
        data: {
          type: "FileNotFound",
          message: "Authorization: Bearer error-secret-5",
          context: { password: "p-secret-6" }
        }
      })
    default:
      return server.answer(id, success({ echo: at(params, "arguments") }))
  }
}, native))

const asking = Effect.gen(function*() {
  const { invoke, invokeDynamic } = yield* Capabilities
  const { persistent } = yield* State
  const answer = yield* invoke("network.http_request", {
    url: "https://example.com/",
    headers: { Authorization: "Bearer argument-secret-7" }
  })
  const value = yield* persistent.get("github_token")
  const secrets = yield* invoke("secrets.list")
  const error = yield* Effect.flip(invoke("filesystem.read", { path: "a" }))
  yield* invokeDynamic("pack.login", {
    user: "me",
    password: "argument-secret-8",
    pin: { secret: [1234, { inner: "argument-secret-9" }] },
    note: `it is ${key}, customer ACME-1234 and own-secret-10`,
    variables: [{ name: "API_TOKEN", value: "argument-secret-11" }, { name: "HOME", value: "/home/me" }],
    max_retries: 3
  })
  return { answer, value, secrets, error }
})

describe("A cassette", () => {
  it.scoped("has no secret in it, and is replayed all the same", () =>
    Effect.gen(function*() {
      const redact = [/ACME-\d+/, Redacted.make("own-secret-10")]
      const { file, result, text } = yield* record(echoing, asking, {
        redact,
        connection: { ...connectionOptions, apiKey: Redacted.make(key) }
      })
      assert.strictEqual(result.answer.headers["x-api-key"], "header-secret-2", "the program itself sees all")
      assert.notMatch(text, /secret-\d/)
      assert.notInclude(text, key)
      assert.notMatch(text, /ACME-\d/)
      assert.notInclude(text, "1234")
      for (
        const kept of ["text/plain", "expires_in", "/home/me", "github_token", "git.push", "customer [secret] and"]
      ) {
        assert.include(text, kept)
      }
      const replayed = yield* replay(file, Effect.zipLeft(asking, Recorder.verify), { redact })
      assert.deepInclude(replayed.answer, {
        status_code: 200,
        body: `{"access_token":"[secret]","expires_in":3600,"user":"me"}`
      })
      assert.deepStrictEqual(replayed.secrets, result.secrets)
      assert.strictEqual(replayed.error._tag, "FileNotFound")
    }))

  it.scoped("has neither keys of idempotency nor traces, and its fields in one order", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id }, server) => server.answer(id, success({ overwritten: false })), {
        ...native,
        idempotency: {}
      }))
      const set = Effect.flatMap(State, ({ session }) => session.set("a", 1))
      const first = yield* record(gateway, Effect.withSpan(set, "traced"))
      const second = yield* record(gateway, set)
      assert.notInclude(first.text, "idempotency_key")
      assert.notInclude(first.text, "traceparent")
      assert.strictEqual(first.text, second.text)
      assert.isTrue(first.text.endsWith("}\n"))
      assert.deepStrictEqual(first.entries.map((entry) => Object.keys(Object(entry))), [
        ["step", "at", "connected"],
        ["step", "at", "request", "params", "answer"]
      ])
    }))

  it.scoped("is written as a whole when the scope ends, however it ends", () =>
    Effect.gen(function*() {
      const file = yield* cassettePath
      fs.mkdirSync(dirname(file), { recursive: true })
      fs.writeFileSync(file, "the one before")
      const exit = yield* Effect.exit(Effect.provide(
        Effect.gen(function*() {
          yield* asking
          assert.strictEqual(fs.readFileSync(file, "utf8"), "the one before")
          return yield* Effect.interrupt
        }),
        Recorder.layer(file, scriptedLayer(echoing))
      ))
      assert.isTrue(Exit.isInterrupted(exit))
      assert.deepStrictEqual(fs.readdirSync(dirname(file)), ["program.json"])
      yield* replay(file, Effect.zipRight(asking, Recorder.verify))
    }))

  it.scoped("is not written where there was no session: the one before stays", () =>
    Effect.gen(function*() {
      const file = yield* fileWith("the one before")
      const refused = scriptedLayer(make(new ConnectionFailed({ message: "not there" })))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Recorder.layer(file, refused))))
      assert.strictEqual(error._tag, "ConnectionFailed")
      assert.strictEqual(fs.readFileSync(file, "utf8"), "the one before")
    }))

  it.scoped("must have a place to be written to, before anything is recorded", () =>
    Effect.gen(function*() {
      const blocker = yield* fileWith("not a folder")
      const gateway = make(initialized())
      for (const file of [`${blocker}/program.json`, dirname(blocker)]) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Recorder.layer(file, scriptedLayer(gateway)))))
        if (error._tag !== "CassetteUnwritable") return assert.fail(error._tag)
        assert.strictEqual(error.file, file)
        assert.include(error.message, `The cassette ${file} cannot be written`)
      }
      assert.strictEqual(gateway.dials(), 0)
    }))

  it.scoped("that cannot be replayed is refused, with the reason", () =>
    Effect.gen(function*() {
      const good: { readonly entries: ReadonlyArray<object> } = JSON.parse(
        fs.readFileSync(yield* cassetteWith([invoked(2, "system.time", {}, {})]), "utf8")
      )
      const reasonOf = (text: string) =>
        Effect.gen(function*() {
          const file = yield* fileWith(text)
          const result = yield* Effect.either(Effect.scoped(Layer.build(Recorder.replay(file))))
          return Either.isLeft(result) ? [result.left.reason, result.left.message.includes(file)] as const : "replayed"
        })
      const unreadable = ["malformed", true] as const
      assert.strictEqual(yield* reasonOf(JSON.stringify(good)), "replayed")
      assert.deepStrictEqual(yield* reasonOf(JSON.stringify({ ...good, version: 2 })), ["other-version", true] as const)
      assert.deepStrictEqual(yield* reasonOf(JSON.stringify(good).slice(0, -2)), unreadable)
      assert.deepStrictEqual(yield* reasonOf(""), unreadable)
      assert.deepStrictEqual(yield* reasonOf("[]"), unreadable)
      assert.deepStrictEqual(yield* reasonOf(JSON.stringify({ ...good, entries: [] })), unreadable)
      assert.deepStrictEqual(
        yield* reasonOf(JSON.stringify({ ...good, entries: [...good.entries, { step: 9 }] })),
        unreadable
      )
      const missing = yield* Effect.flip(Effect.scoped(Layer.build(Recorder.replay(`${yield* cassettePath}.none`))))
      assert.strictEqual(missing.reason, "missing")
      const folder = yield* Effect.flip(Effect.scoped(Layer.build(Recorder.replay(dirname(yield* fileWith(""))))))
      assert.strictEqual(folder.reason, "unreadable")
    }))

  it.scopedLive("of a real gateway does not hold the key that the program sends", () =>
    Effect.gen(function*() {
      const { key, layer } = yield* realGateway("websocket")
      const file = yield* cassettePath
      yield* Effect.provide(
        Effect.gen(function*() {
          const { invoke } = yield* Capabilities
          yield* invoke("filesystem.write", { path: "key.txt", content: `it is ${key}` })
          assert.strictEqual((yield* invoke("filesystem.read", { path: "key.txt" })).content, `it is ${key}`)
          assert.strictEqual((yield* (yield* Gateway).session).agent, "agent")
        }),
        Recorder.layer(file, layer)
      )
      assert.notInclude(fs.readFileSync(file, "utf8"), key)
    }))
})
