import type { Reference } from "./Documented.js"

/** `secrets.*`, as documented. */
export const secrets: Reference = {
  "secrets.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "secrets, vault, safe, read",
    inputs: { include_revoked: "Boolean? = false" },
    outputs: { secrets: "Array", total: "Integer" },
    errors: { VaultLocked: "alert_supervisor", VaultError: "retry" }
  },
  "secrets.use": {
    tier: "notify",
    version: "1.0",
    tags: "secrets, vault, internal",
    inputs: { secret_name: "String", capability: "String" },
    outputs: { used: "Boolean" },
    errors: { SecretNotFound: "check_secrets", ScopeViolation: "check_scope", VaultLocked: "alert_supervisor" },
    sideEffects: ["not reversible"]
  },
  "secrets.rotate_request": {
    tier: "notify",
    version: "1.0",
    tags: "secrets, vault, rotation",
    inputs: { secret_name: "String", reason: "String? = \"expiring\"" },
    outputs: { request_id: "String", secret_name: "String", status: "String" },
    errors: { SecretNotFound: "check_secrets", VaultLocked: "alert_supervisor" },
    sideEffects: ["not reversible"]
  }
}
