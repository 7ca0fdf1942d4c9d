import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { parseHost } from "../../../src/local/egress/Host.js"
import * as LocalGateway from "../../../src/local/LocalGateway.js"
import { until } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { serveHttp } from "../egress/servers.js"
import { policiesOf, problemsOf, type Texts } from "./support.js"

const refusal = (texts: Texts, text: string, port = 443, agent = "agent") => {
  const host = parseHost(text)
  if (host === undefined) throw new Error(`${text} is no host`)
  return policiesOf(texts).egress(agent).refusal({ host, port })?.rule
}

describe("network.allow", () => {
  const organization = "network: { allow: [api.example.com, '*.example.org', '127.0.0.1:8080', '[::1]:8080'] }\n"

  it("lets agents reach the hosts that the organization names", () => {
    for (const host of ["api.example.com", "a.example.org"]) assert.isUndefined(refusal({ organization }, host))
    for (const host of ["127.0.0.1", "::1"]) assert.isUndefined(refusal({ organization }, host, 8080))
    for (const host of ["example.com", "example.org", "127.0.0.1"]) {
      assert.strictEqual(refusal({ organization }, host), "organization:network.allow")
    }
  })

  it("lets them reach none where the organization names none, whatever the others say", () => {
    const allow = "network: { allow: ['*'] }\n"
    for (
      const texts of [{}, { system: allow, agent: allow }, { organization: "network: { allow: [] }\n", agent: allow }]
    ) {
      assert.strictEqual(refusal(texts, "api.example.com"), "organization:network.allow")
    }
  })

  it("can be restricted by the system and for one agent, and by what says nothing it is not", () => {
    const silent = "defaults: { tier: notify }\n"
    assert.isUndefined(refusal({ organization, system: silent, agent: silent }, "api.example.com"))
    const one = "network: { allow: [a.example.org] }\n"
    assert.strictEqual(refusal({ organization, system: one }, "api.example.com"), "system:network.allow")
    assert.strictEqual(refusal({ organization, agent: one }, "api.example.com"), "agent:network.allow")
    assert.isUndefined(refusal({ organization, agent: one }, "api.example.com", 443, "other"))
    assert.isUndefined(refusal({ organization, agent: one }, "a.example.org"))
    assert.strictEqual(
      refusal({ organization, agent: "network: { allow: [] }\n" }, "a.example.org"),
      "agent:network.allow"
    )
  })

  it("is refused with line and reason where it is none", () => {
    const [problem, ...others] = problemsOf("network:\n  allow:\n    - api.example.com\n    - https://example.com\n")
    assert.match(problem ?? "", /^policy\.yaml:4:7: "https:\/\/example\.com" is no pattern of hosts/)
    assert.deepStrictEqual(others, [])
    const messages = (text: string) => problemsOf(text).map((one) => one.replace(/^policy\.yaml:\d+:\d+: /, ""))
    assert.match(messages("network: { allow: api.example.com }\n").join(), /^expected a list of hosts/)
    assert.match(messages("network: { alow: [a] }\n").join(), /unknown key "alow"; did you mean allow\?/)
    assert.match(messages("network: {}\n").join(), /allow is missing/)
    assert.match(messages("network: { allow: [1] }\n").join(), /expected text/)
    assert.match(messages("network: { allow: ['a.*.b'] }\n").join(), /is no pattern/)
  })
})

describe("a gateway", () => {
  const get = (gateway: TestGateway.TestGateway, url: string) =>
    rpc(gateway, "capabilities.invoke", { capability: "network.http_request", arguments: { url } })

  const server = serveHttp((_incoming, outgoing) => void outgoing.end("there"))

  const refused = (answer: unknown) => at(answer, "result", "error", "type")

  it.scopedLive("reaches what its policy file names from when it does, and no longer", () =>
    Effect.gen(function*() {
      const { port } = yield* server
      const gateway = yield* TestGateway.serve()
      const url = `http://127.0.0.1:${port}/`
      const denied = yield* get(gateway, url)
      assert.strictEqual(refused(denied), "DomainNotAllowed")
      assert.deepInclude(at(denied, "result", "error", "context"), {
        domain: "127.0.0.1",
        rule: "organization:network.allow"
      })
      const folder = join(gateway.dataDirectory, "policies")
      fs.mkdirSync(folder, { recursive: true })
      fs.writeFileSync(join(folder, "organization.yaml"), `network: { allow: ["127.0.0.1:${port}"] }\n`)
      yield* until(
        "the policy",
        Effect.map(get(gateway, url), (answer) => at(answer, "result", "data", "body") === "there")
      )
      fs.writeFileSync(join(folder, "organization.yaml"), `network: { allow: [] }\n`)
      yield* until("the policy", Effect.map(get(gateway, url), (answer) => refused(answer) === "DomainNotAllowed"))
    }), 30_000)

  it.scopedLive("reaches what it was started with, also with allow-all, which is no leave to reach the rest", () =>
    Effect.gen(function*() {
      const { port } = yield* server
      for (const policy of [undefined, "allow-all", "team-moderate"] as const) {
        const gateway = yield* TestGateway.serve({ policy, network: { allow: [`127.0.0.1:${port}`] } })
        assert.strictEqual(at(yield* get(gateway, `http://127.0.0.1:${port}/`), "result", "data", "body"), "there")
        assert.strictEqual(refused(yield* get(gateway, `http://127.0.0.2:${port}/`)), "DomainNotAllowed")
      }
    }))

  it.scopedLive("does not start where that is no pattern", () =>
    Effect.gen(function*() {
      const folders = yield* TestGateway.folders
      for (const policy of [undefined, "allow-all"] as const) {
        const error = yield* LocalGateway.serve({ ...folders, port: 0, policy, network: { allow: ["http://a"] } }).pipe(
          TestGateway.quietly,
          Effect.flip
        )
        assert.strictEqual(error._tag, "InvalidPolicy")
        assert.include(error.message, "\"http://a\" is no pattern of hosts")
      }
    }))
})
