import type { Samples } from "./Sample.js"

const checksum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/** An input and an output of each capability of `network.*`, as they go over the wire. */
export const network = {
  "network.http_request": {
    input: {
      url: "https://api.example.org/items",
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{\"name\":\"a\"}",
      timeout: 300,
      follow_redirects: false
    },
    output: {
      status_code: 201,
      headers: { "content-type": "application/json" },
      body: "{\"id\":1}",
      duration_ms: 83,
      url: "https://api.example.org/items/1"
    }
  },
  "network.dns_lookup": {
    input: { hostname: "example.org" },
    output: { addresses: ["192.0.2.7", "2001:db8::7"], hostname: "example.org" }
  },
  "network.download": {
    input: {
      url: "https://example.org/data.bin",
      path: "data/data.bin",
      overwrite: true,
      expected_checksum: checksum
    },
    output: { path: "/workspace/data/data.bin", size: 3, checksum, duration_ms: 12 }
  },
  "network.port_check": {
    input: { host: "db.example.org", port: 65_535, timeout: 30 },
    output: { open: false, latency_ms: null, host: "db.example.org", port: 65_535 }
  },
  "network.credentialed_request": {
    input: {
      url: "https://api.example.org/items",
      secret_name: "items-key",
      method: "DELETE",
      headers: { Accept: "application/json" },
      body: "",
      timeout: 1,
      credential_placement: { type: "query", name: "key", format: "{secret}" }
    },
    output: { status_code: 204, headers: {}, body: "", duration_ms: 40 }
  }
} satisfies Samples
