import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Approvals, Capabilities } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { Agents } from "../../src/local/store/Agents.js"
import { until, within } from "../support/deadline.js"
import { folders, quietly } from "../support/gateway.js"
import { type GatewayProcess, startProcess } from "../support/gatewayProcess.js"
import { at, listAt } from "../support/json.js"
import { rpc } from "../support/rawHttp.js"
import { parameters, runs } from "../support/runs.js"
import { asSupervisor } from "../support/supervisor.js"

const policy = `
name: asks
version: "1.0"
defaults: { tier: autonomous }
capabilities:
  filesystem.append: { tier: approval_required, reason: "to be looked at" }
`

/** A gateway whose policy is a file of its data directory. */
const startAsking = Effect.gen(function*() {
  const used = yield* folders
  const policyFile = join(used.dataDirectory, "policy.yaml")
  fs.writeFileSync(policyFile, policy)
  const gateway = yield* startProcess({ folders: used, asksHumans: true, args: ["--policy", policyFile] })
  return { gateway, policyFile }
})

const clientOf = ({ key, url }: GatewayProcess) =>
  Layer.build(NodeGateway.layer({
    host: url,
    apiKey: Redacted.make(key),
    reconnect: Schedule.spaced("50 millis")
  })).pipe(Effect.orDie)

const pendingIds = (gateway: GatewayProcess) =>
  Effect.map(
    asSupervisor(gateway, "/approvals?status=pending&limit=1000"),
    ({ body }) => listAt(body, "approvals").map((item) => String(at(item, "id")))
  )

const approveAll = (gateway: GatewayProcess) =>
  Effect.flatMap(
    pendingIds(gateway),
    (ids) =>
      Effect.forEach(ids, (id) => asSupervisor(gateway, `/approvals/${id}/approve`, { method: "POST" }), {
        concurrency: "unbounded"
      })
  )

const killAndStartAgain = ({ end, startAgain }: GatewayProcess) => Effect.zipRight(end("SIGKILL"), startAgain)

/** Where each append of a round goes: some share a file. */
const appends = Array.from({ length: 6 }, (_, index) => ({ file: `log-${index % 3}.txt`, name: `${index}` }))

const linesOf = ({ workspace }: GatewayProcess) =>
  [...new Set(appends.map(({ file }) => file))].flatMap((name) => {
    const file = join(workspace, name)
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "") : []
  })

/** When a gateway is killed that has been told to go ahead. */
const moments = ["at once", "soon", "when there is an effect", "in the end"] as const

const waitFor = (moment: (typeof moments)[number], gateway: GatewayProcess, before: number, delayMillis: number) => {
  switch (moment) {
    case "at once":
      return Effect.void
    case "soon":
      return Effect.sleep(delayMillis)
    case "when there is an effect":
      return until("an effect", Effect.sync(() => linesOf(gateway).length > before))
    case "in the end":
      return until("every effect", Effect.sync(() => linesOf(gateway).length >= before + appends.length))
  }
}

describe("what was approved", () => {
  it.scopedLive(
    "takes effect exactly once, whenever the gateway is killed, and whoever waits has the result",
    () =>
      Effect.gen(function*() {
        const { gateway } = yield* startAsking
        const rounds = runs(40)
        for (let round = 0; round < rounds; round++) {
          const moment = moments[round % moments.length] ?? "at once"
          const delayMillis = yield* Random.nextRange(0, 25)
          const before = linesOf(gateway)
          yield* Effect.gen(function*() {
            const { invoke } = yield* Capabilities
            const waiting = yield* Effect.forEach(appends, ({ file, name }) =>
              invoke("filesystem.append", { path: `/workspace/${file}`, content: `${round} ${name}\n` }).pipe(
                Approvals.awaitApproval({ timeout: "30 seconds" }),
                Effect.fork
              ))
            yield* until(
              "the requests",
              Effect.map(pendingIds(gateway), ({ length }) =>
                length === appends.length)
            )
            // What it kills does not answer.
            const approving = yield* Effect.fork(Effect.exit(approveAll(gateway)))
            if (moment !== "at once") {
              yield* Fiber.join(approving)
            }
            yield* waitFor(moment, gateway, before.length, delayMillis)
            yield* killAndStartAgain(gateway)
            yield* Fiber.interrupt(approving)
            yield* approveAll(gateway)
            const results = yield* Effect.forEach(waiting, (fiber) =>
              Fiber.join(fiber).pipe(within("the result", "20 seconds")))
            for (const [index, { new_size }] of results.entries()) {
              const { file, name } = appends[index] ?? { file: "", name: "" }
              const upToThen = fs.readFileSync(join(gateway.workspace, file), "utf8").slice(0, new_size)
              assert.isTrue(upToThen.endsWith(`${round} ${name}\n`), `round ${round}, killed ${moment}`)
            }
          }).pipe(Effect.provide(yield* clientOf(gateway)), Effect.scoped)
          const expected = [
            ...before,
            ...appends.map(({ name }) =>
              `${round} ${name}`
            )
          ].sort()
          assert.deepStrictEqual(linesOf(gateway).sort(), expected, `round ${round}, killed ${moment}`)
        }
      }).pipe(Effect.withRandom(Random.make(parameters(1).seed)), quietly),
    240_000
  )

  it.scopedLive(
    "is not run where the policy or the agent's standing has changed while the gateway was down",
    () =>
      Effect.gen(function*() {
        const { gateway, policyFile } = yield* startAsking
        const key = yield* gateway.addAgent("gone")
        const ask = (path: string, agentKey = gateway.key) =>
          Effect.map(
            rpc(gateway, "capabilities.invoke", {
              capability: "filesystem.append",
              arguments: { path: `/workspace/${path}`, content: "x" }
            }, agentKey),
            (answer) => String(at(answer, "result", "error", "context", "approval_id"))
          )
        const [blocked, revoked] = [yield* ask("blocked.txt"), yield* ask("revoked.txt", key)]
        yield* gateway.end("SIGKILL")
        yield* gateway.inStore(Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`
        UPDATE approvals SET status = 'running', decided_at = 1, decided_by = 'supervisor', owner = '2147483647/1/gone'`))
        yield* gateway.inStore(Effect.orDie(Effect.flatMap(Agents, (agents) => agents.revoke("gone"))))
        fs.writeFileSync(policyFile, policy.replace("tier: approval_required, reason", "tier: blocked, reason"))
        yield* gateway.startAgain
        const view = (id: string) => Effect.map(asSupervisor(gateway, `/approvals/${id}`), ({ body }) => body)
        const ended = (id: string) =>
          Effect.zipRight(
            until("its end", Effect.map(view(id), (body) => at(body, "status") === "approved")),
            view(id)
          )
        for (const id of [blocked, revoked]) assert.strictEqual(at(yield* ended(id), "success"), false)
        const checked = yield* rpc(gateway, "approvals.check", { approval_id: blocked })
        assert.strictEqual(at(checked, "result", "result", "error", "type"), "PolicyDenied")
        assert.deepStrictEqual(fs.readdirSync(gateway.workspace).filter((name) => name.endsWith(".txt")), [])
      }).pipe(quietly),
    60_000
  )
})
