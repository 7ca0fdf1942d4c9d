import { describeCategory } from "./categorySuite.js"
import { secrets as reference } from "./reference/secrets.js"
import { secrets as samples } from "./samples/secrets.js"

describeCategory("secrets", {
  reference,
  samples,
  wrong: {
    "secrets.list": { input: { include_revoked: 1 }, output: { secrets: [{ name: "items-key" }] } },
    "secrets.use": { input: { capability: null }, output: { used: 1 } },
    "secrets.rotate_request": { input: { reason: "bored" }, output: { request_id: 1 } }
  },
  newer: {
    "secrets.list": { secrets: [{ ...samples["secrets.list"].output.secrets[0], type: "passkey" }] },
    "secrets.rotate_request": { status: "refused" }
  }
})
