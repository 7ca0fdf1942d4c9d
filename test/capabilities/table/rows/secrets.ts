import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import { join } from "node:path"
import { open } from "../../../../src/local/vault/administration.js"
import type { NewSecret } from "../../../../src/local/vault/keeping.js"
import { serveHttp } from "../../../local/egress/servers.js"
import { failing, type Table } from "../Row.js"
import type { World } from "../World.js"

const value = "kx-7Yp2-of-the-table"

const credentialed = "network.credentialed_request"

// Keeps a secret for all agents, as `kruxos vault add` does.
const keep = ({ directory: name, gateway }: World, secret: Partial<NewSecret> = {}) =>
  Effect.gen(function*() {
    const keeping = yield* open(gateway.dataDirectory, { ifMissing: "fail", key: undefined })
    yield* keeping.add({
      name,
      type: "api_key",
      value: Redacted.make(value),
      agents: ["*"],
      capabilities: [credentialed],
      hosts: ["127.0.0.1"],
      ...secret
    })
    return name
  }).pipe(Effect.scoped)

// A gateway whose vault has lost its key.
const locked = ({ elsewhere }: World) =>
  Effect.gen(function*() {
    const world = yield* elsewhere()
    const secret_name = yield* keep(world)
    fs.rmSync(join(world.gateway.dataDirectory, "vault.key"))
    return { ...world, secret_name }
  })

const none = { secret_name: "none" }

const missing = { secretName: "none" }

export const secrets: Table<"secrets"> = {
  "secrets.list": {
    success: (world) =>
      Effect.gen(function*() {
        const name = yield* keep(world)
        const { secrets: found } = yield* world.invoke("secrets.list")
        const secret = found.find((one) => one.name === name)
        expect(secret).toMatchObject({ type: "api_key", allowed_capabilities: [credentialed], revoked: false })
        assert.notInclude(JSON.stringify(found), value)
      }),
    errors: {
      VaultLocked: (world) => Effect.flatMap(locked(world), ({ invoke }) => failing(invoke("secrets.list"))),
      VaultError: ({ without }) =>
        Effect.flatMap(
          without("secrets"),
          ({ invoke }) => failing(invoke("secrets.list"), { _tag: "CapabilityUnavailable", retryable: true })
        )
    }
  },
  "secrets.use": {
    success: (world) =>
      Effect.gen(function*() {
        const secret_name = yield* keep(world)
        const used = yield* world.invoke("secrets.use", { secret_name, capability: credentialed })
        assert.deepStrictEqual(used, { used: true })
      }),
    errors: {
      SecretNotFound: ({ invoke }) => failing(invoke("secrets.use", { ...none, capability: credentialed }), missing),
      ScopeViolation: (world) =>
        Effect.gen(function*() {
          const secret_name = yield* keep(world)
          return yield* failing(world.invoke("secrets.use", { secret_name, capability: "email.send" }), {
            secretName: secret_name
          })
        }),
      VaultLocked: (world) =>
        Effect.flatMap(
          locked(world),
          ({ invoke, secret_name }) => failing(invoke("secrets.use", { secret_name, capability: credentialed }))
        )
    },
    limits: {
      "shows one that is denied like one that is absent": (world) =>
        Effect.gen(function*() {
          const secret_name = yield* keep(world, { agents: ["somebody-else"] })
          const error = yield* Effect.flip(world.invoke("secrets.use", { secret_name, capability: credentialed }))
          expect(error).toMatchObject({ _tag: "SecretNotFound", secretName: secret_name })
        })
    }
  },
  "secrets.rotate_request": {
    success: (world) =>
      Effect.gen(function*() {
        const secret_name = yield* keep(world)
        const input = { secret_name, reason: "compromised" } as const
        const requested = yield* world.invoke("secrets.rotate_request", input)
        assert.deepInclude(requested, { secret_name, status: "submitted" })
        const { alerts } = yield* world.invoke("alerts.list", { limit: 500 })
        assert.isTrue(alerts.some(({ message }) => message.includes(secret_name)))
      }),
    errors: {
      SecretNotFound: ({ invoke }) => failing(invoke("secrets.rotate_request", none), missing),
      VaultLocked: (world) =>
        Effect.flatMap(
          locked(world),
          ({ invoke, secret_name }) => failing(invoke("secrets.rotate_request", { secret_name }))
        )
    }
  }
}

export const credentialedRequest: Pick<Table<"network">, typeof credentialed> = {
  "network.credentialed_request": {
    success: (world) =>
      Effect.gen(function*() {
        const seen: Array<string | undefined> = []
        const { port } = yield* serveHttp(({ headers }, response) => {
          seen.push(headers.authorization)
          response.setHeader("x-reflected", headers.authorization ?? "").end(`you sent ${headers.authorization}`)
        })
        const secret_name = yield* keep(world)
        const answer = yield* world.invoke(credentialed, { url: `http://127.0.0.1:${port}/`, secret_name })
        assert.deepStrictEqual(seen, [`Bearer ${value}`])
        assert.strictEqual(answer.status_code, 200)
        assert.strictEqual(answer.body, "you sent Bearer [REDACTED]")
        assert.notInclude(JSON.stringify(answer), value)
      }),
    errors: {
      ScopeViolation: (world) =>
        Effect.gen(function*() {
          const secret_name = yield* keep(world, { capabilities: ["email.send"] })
          return yield* failing(world.invoke(credentialed, { url: "http://127.0.0.1:1/", secret_name }), {
            secretName: secret_name
          })
        }),
      HostNotAllowed: (world) =>
        Effect.gen(function*() {
          const secret_name = yield* keep(world, { hosts: ["api.example.com"] })
          return yield* failing(world.invoke(credentialed, { url: "http://127.0.0.1:1/", secret_name }), {
            host: "127.0.0.1",
            secretName: secret_name
          })
        }),
      SecretNotFound: ({ invoke }) => failing(invoke(credentialed, { ...none, url: "http://127.0.0.1:1/" }), missing),
      VaultLocked: (world) =>
        Effect.flatMap(
          locked(world),
          ({ invoke, secret_name }) => failing(invoke(credentialed, { url: "http://127.0.0.1:1/", secret_name }))
        )
    },
    limits: {
      "takes no header that the secret goes into": (world) =>
        Effect.gen(function*() {
          const secret_name = yield* keep(world)
          const headers = { Authorization: "Basic mine" }
          const error = yield* Effect.flip(
            world.invoke(credentialed, { url: "http://127.0.0.1:1/", secret_name, headers })
          )
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "headers" })
        }),
      "waits for 300 seconds at most": ({ invokeDynamic }) =>
        Effect.gen(function*() {
          const input = { ...none, url: "http://127.0.0.1:1/", timeout: 301 }
          const error = yield* Effect.flip(invokeDynamic(credentialed, input))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "timeout" })
        })
    }
  }
}
