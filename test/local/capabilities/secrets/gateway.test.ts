import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Approvals, Capabilities, Transaction } from "kruxos"
import type { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { open } from "../../../../src/local/vault/administration.js"
import { within } from "../../../support/deadline.js"
import { serve } from "../../../support/gateway.js"
import { asSupervisor, decide } from "../../../support/supervisor.js"
import { serveHttp } from "../../egress/servers.js"
import { credentialed } from "./support.js"

const value = "kx-7Yp2-Qq.Zz_9-secret"

type Options = Partial<LocalGateway.LocalGatewayOptions>

const asking: Options = { policy: { tiers: { [credentialed]: "approval_required" } } }

/** A gateway with a secret, a server that gives back what it was sent, an agent, and whoever approves. */
const setup = (options: Options = {}) =>
  Effect.gen(function*() {
    const received: Array<string> = []
    const server = yield* serveHttp((incoming, outgoing) => {
      received.push(`${incoming.method} ${incoming.headers.authorization}`)
      outgoing.end(`You are ${incoming.headers.authorization}`)
    })
    const gateway = yield* serve({ network: { allow: ["127.0.0.1"] }, ...options })
    const keeping = yield* open(gateway.dataDirectory, { ifMissing: "fail", key: undefined })
    yield* keeping.add({
      name: "token",
      type: "api_key",
      value: Redacted.make(value),
      agents: ["agent"],
      capabilities: [credentialed],
      hosts: ["127.0.0.1"]
    })
    const services = yield* Layer.build(
      NodeGateway.layer({ host: gateway.url, apiKey: Redacted.make(gateway.key) })
    )
    const provided = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
    const input = { url: `http://127.0.0.1:${server.port}/`, secret_name: "token" }
    const ask = Effect.flatMap(Capabilities, ({ invoke }) => invoke(credentialed, input))
    const pending = Effect.flatMap(Approvals, ({ list }) => list({ status: "pending" })).pipe(
      Effect.flatMap((all) => Arr.head(all.map(({ approvalId }) => approvalId))),
      Effect.retry(Schedule.spaced("20 millis")),
      within("a request for approval"),
      provided
    )
    return {
      received,
      keeping,
      pending,
      provided,
      input,
      ask,
      judge: (verdict: "approve" | "reject") => Effect.flatMap(pending, (id) => decide(gateway, id, verdict)),
      requests: Effect.map(asSupervisor(gateway, "/approvals?status=approved"), ({ body }) => JSON.stringify(body)),
      onDisk: () =>
        fs.readdirSync(gateway.dataDirectory, { recursive: true, encoding: "utf8" })
          .map((name) => join(gateway.dataDirectory, name))
          .filter((path) => fs.statSync(path).isFile())
          .map((path) => fs.readFileSync(path, "latin1"))
          .join("\n")
    }
  })

const isNowhereIn = (text: string) => {
  for (const form of [value, Buffer.from(value).toString("base64").slice(0, 28), Buffer.from(value).toString("hex")]) {
    assert.notInclude(text, form)
  }
}

const waiting = Approvals.awaitApproval({ timeout: "10 seconds" })

describe("network.credentialed_request that needs approval", () => {
  it.scopedLive(
    "is sent once when a human has approved it, and the secret is in nothing that is kept",
    () =>
      Effect.gen(function*() {
        const { ask, judge, onDisk, pending, provided, received, requests } = yield* setup(asking)
        const asked = yield* Effect.fork(provided(waiting(ask)))
        yield* pending
        assert.deepStrictEqual(received, [])
        yield* judge("approve")
        const { body, status_code } = yield* within("the answer")(Fiber.join(asked))
        assert.deepStrictEqual({ body, status_code }, { body: "You are Bearer [REDACTED]", status_code: 200 })
        assert.deepStrictEqual(received, [`GET Bearer ${value}`])
        const shown = yield* requests
        assert.include(shown, credentialed)
        isNowhereIn(shown)
        isNowhereIn(onDisk())
        // The first of the file loads the gateway, which takes long where much else is going on.
      }),
    60_000
  )

  it.scopedLive("is not sent when it is rejected", () =>
    Effect.gen(function*() {
      const { ask, judge, provided, received } = yield* setup(asking)
      const asked = yield* Effect.fork(provided(Effect.flip(waiting(ask))))
      yield* judge("reject")
      assert.strictEqual((yield* within("the answer")(Fiber.join(asked)))._tag, "ApprovalRejected")
      assert.deepStrictEqual(received, [])
    }))

  it.scopedLive("finds no secret that was revoked while it waited", () =>
    Effect.gen(function*() {
      const { ask, judge, keeping, pending, provided, received } = yield* setup(asking)
      const asked = yield* Effect.fork(provided(Effect.flip(waiting(ask))))
      yield* pending
      yield* keeping.revoke("token")
      yield* judge("approve")
      assert.strictEqual((yield* within("the answer")(Fiber.join(asked)))._tag, "SecretNotFound")
      assert.deepStrictEqual(received, [])
    }))
})

describe("network.credentialed_request in a transaction", () => {
  it.scopedLive("is NotReversible, and sends nothing", () =>
    Effect.gen(function*() {
      const { ask, provided, received } = yield* setup()
      const error = yield* provided(Effect.flip(Transaction.run(ask)))
      assert.deepInclude(error, { _tag: "NotReversible", capability: credentialed })
      assert.deepStrictEqual(received, [])
    }))

  it.scopedLive("is sent where its caller undertakes to undo it, and undone with the transaction", () =>
    Effect.gen(function*() {
      const { input, provided, received } = yield* setup()
      const error = yield* Effect.flatMap(Capabilities, ({ invoke }) => {
        const compensate = () => Effect.orDie(invoke(credentialed, { ...input, method: "DELETE" }))
        return Transaction.run(Effect.zipRight(invoke(credentialed, input, { compensate }), Effect.fail("no")))
      }).pipe(Effect.flip, provided)
      assert.strictEqual(error, "no")
      assert.deepStrictEqual(received, [`GET Bearer ${value}`, `DELETE Bearer ${value}`])
    }))
})
