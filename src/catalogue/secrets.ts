import * as Schema from "effect/Schema"
import { CapabilityUnavailable } from "../errors/general.js"
import { ScopeViolation, SecretNotFound, VaultLocked } from "../errors/secrets.js"
import { DateTimeUtc, Integer, openEnumeration } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const secretNotFound = { SecretNotFound: failure(SecretNotFound, "check_secrets") }

const vaultLocked = { VaultLocked: failure(VaultLocked, "alert_supervisor") }

export const list = make("secrets.list", {
  tier: "autonomous",
  tags: ["secrets", "vault", "safe", "read"],
  inputs: { include_revoked: optional(Schema.Boolean, false) },
  outputs: {
    secrets: Schema.Array(Schema.Struct({
      name: Schema.String,
      type: openEnumeration("oauth_token", "api_key", "agent_auth_token", "encryption_key"),
      allowed_capabilities: Schema.Array(Schema.String),
      created_at: DateTimeUtc,
      revoked: Schema.Boolean
    })),
    total: Integer
  },
  errors: { ...vaultLocked, VaultError: failure(CapabilityUnavailable, "retry") }
})

export const use = make("secrets.use", {
  tier: "notify",
  tags: ["secrets", "vault", "internal"],
  inputs: { secret_name: Schema.String, capability: Schema.String },
  outputs: { used: Schema.Boolean },
  errors: { ...secretNotFound, ScopeViolation: failure(ScopeViolation, "check_scope"), ...vaultLocked },
  sideEffects: ["not reversible"]
})

export const rotateRequest = make("secrets.rotate_request", {
  tier: "notify",
  tags: ["secrets", "vault", "rotation"],
  inputs: {
    secret_name: Schema.String,
    reason: optional(Schema.Literal("expiring", "compromised", "auth_failure"), "expiring")
  },
  outputs: { request_id: Schema.String, secret_name: Schema.String, status: openEnumeration("submitted") },
  errors: { ...secretNotFound, ...vaultLocked },
  sideEffects: ["not reversible"]
})
