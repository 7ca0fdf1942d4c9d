import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as catalogue from "../../src/catalogue/network.js"
import { describeCategory } from "./categorySuite.js"
import { network as reference } from "./reference/network.js"
import { network as samples } from "./samples/network.js"

describeCategory("network", {
  reference,
  samples,
  wrong: {
    "network.http_request": { input: { headers: { Accept: 1 } }, output: { status_code: "200" } },
    "network.dns_lookup": { input: { hostname: ["a"] }, output: { addresses: "192.0.2.7" } },
    "network.download": { input: { expected_checksum: "abc" }, output: { checksum: "abc" } },
    "network.port_check": { input: { port: "80" }, output: { latency_ms: "1" } },
    "network.credentialed_request": { input: { method: "OPTIONS" }, output: { headers: { a: ["b"] } } }
  },
  newer: {}
})

const takes = (schema: Schema.Schema.AnyNoContext, input: unknown) => Schema.is(schema)(input)

describe("the limits of network", () => {
  it.each([[0, false], [1, true], [300, true], [301, false]])("a request may take %d seconds: %s", (timeout, fits) => {
    const url = "https://example.org"
    expect(takes(catalogue.httpRequest.inputSchema, { url, timeout })).toBe(fits)
    expect(takes(catalogue.credentialedRequest.inputSchema, { url, secret_name: "a", timeout })).toBe(fits)
  })

  it.each([[0, false], [1, true], [65_535, true], [65_536, false], [80.5, false]])("%d is a port: %s", (port, fits) => {
    expect(takes(catalogue.portCheck.inputSchema, { host: "a", port })).toBe(fits)
  })

  it.each([[0, false], [1, true], [30, true], [31, false]])("a check may take %d seconds: %s", (timeout, fits) => {
    expect(takes(catalogue.portCheck.inputSchema, { host: "a", port: 1, timeout })).toBe(fits)
  })

  it.each(["get", "TRACE", ""])("%j is no method", (method) => {
    expect(takes(catalogue.httpRequest.inputSchema, { url: "https://example.org", method })).toBe(false)
  })
})

describe("credential_placement", () => {
  const takesFormat = (format: string) =>
    takes(catalogue.credentialedRequest.inputSchema, {
      url: "https://example.org",
      secret_name: "a",
      credential_placement: { type: "header", name: "X-Key", format }
    })

  it.each(["{secret}", "Bearer {secret}", "{\"key\": \"{secret}\"}", "a\n{secret}\nb"])(
    "takes the format %j",
    (format) => {
      expect(takesFormat(format)).toBe(true)
    }
  )

  it.each(["", "Bearer", "{ secret }", "{SECRET}", "{secret}{secret}", "{secret}:{secret}"])(
    "refuses the format %j",
    (format) => {
      expect(takesFormat(format)).toBe(false)
    }
  )

  it("is refused without all of its parts, or elsewhere than in a header or the query", () => {
    const input = { url: "https://example.org", secret_name: "a" }
    const placement = { type: "header", name: "X-Key", format: "{secret}" }
    for (const wrong of [{ type: "body" }, { name: undefined }, { format: undefined }]) {
      const credential_placement = { ...placement, ...wrong }
      expect(takes(catalogue.credentialedRequest.inputSchema, { ...input, credential_placement })).toBe(false)
    }
    expect(takes(catalogue.credentialedRequest.inputSchema, { ...input, credential_placement: placement })).toBe(true)
  })
})
