import type { Samples } from "./Sample.js"

/** An input and an output of each capability of `secrets.*`, as they go over the wire. */
export const secrets = {
  "secrets.list": {
    input: { include_revoked: true },
    output: {
      secrets: [{
        name: "items-key",
        type: "api_key",
        allowed_capabilities: ["network.credentialed_request"],
        created_at: "2025-01-31T08:00:00.000Z",
        revoked: false
      }],
      total: 1
    }
  },
  "secrets.use": {
    input: { secret_name: "items-key", capability: "network.credentialed_request" },
    output: { used: true }
  },
  "secrets.rotate_request": {
    input: { secret_name: "items-key", reason: "auth_failure" },
    output: { request_id: "req-1", secret_name: "items-key", status: "submitted" }
  }
} satisfies Samples
