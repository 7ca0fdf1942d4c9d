import type { Proses } from "../Prose.js"
import type * as entries from "../secrets.js"

type Secrets = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const secretName = "The name of the secret, as secrets.list gives it."

const secretNotFound = "There is no such secret for you; one that was revoked looks the same."

const vaultLocked = "The vault is locked; a human has to unlock it."

/** The words of `secrets.*`. */
export const secrets: Proses<Secrets> = {
  "secrets.list": {
    purpose: "Lists the secrets that you may use: names, kinds and for what, never their values.",
    whenToUse: "Use it to find the name of a key before network.credentialed_request. No capability gives the value " +
      "of a secret.",
    inputs: { include_revoked: "Whether secrets that were revoked are listed too; they cannot be used." },
    outputs: {
      secrets: "Each secret: name, type, the capabilities that it may be used for, when it was made, whether it is " +
        "revoked. With no allowed capability it cannot be used.",
      total: "How many are listed."
    },
    errors: { VaultLocked: vaultLocked, VaultError: "The vault failed." },
    sideEffects: [],
    commonPatterns: [{
      description: "Find the key for an interface",
      steps: [
        "secrets.list and look for network.credentialed_request in allowed_capabilities",
        "network.credentialed_request with that secret_name"
      ]
    }]
  },
  "secrets.use": {
    purpose: "Asks whether a secret may be used for a capability, and records the use; it does not give the value.",
    whenToUse: "Use it rarely: network.credentialed_request does this by itself. It helps to learn before a long " +
      "plan whether a secret will do.",
    inputs: { secret_name: secretName, capability: "The capability to use it for, by its full name." },
    outputs: { used: "Whether the use is granted." },
    errors: {
      SecretNotFound: secretNotFound,
      ScopeViolation: "The secret may not be used for this capability.",
      VaultLocked: vaultLocked
    },
    sideEffects: ["The audit log has a record of the use or of its refusal."],
    commonPatterns: [{
      description: "Make sure of a secret before relying on it",
      steps: ["secrets.use with capability network.credentialed_request", "Plan the requests when used is true"]
    }]
  },
  "secrets.rotate_request": {
    purpose: "Asks the supervisor to replace a secret by a new one.",
    whenToUse:
      "Use it when a secret expires soon, is refused by its service, or may have become known to others. The " +
      "old value stays until a human has changed it.",
    inputs: {
      secret_name: secretName,
      reason: "Why: it expires, it became known (compromised), or the service refuses it (auth_failure)."
    },
    outputs: {
      request_id: "The id of the request.",
      secret_name: "The secret.",
      status: "submitted: the supervisor has the request."
    },
    errors: { SecretNotFound: secretNotFound, VaultLocked: vaultLocked },
    sideEffects: ["The supervisor has the request."],
    commonPatterns: [{
      description: "Deal with a key that is refused",
      steps: [
        "network.credentialed_request answers with status_code 401",
        "secrets.rotate_request with reason auth_failure",
        "Go on with other work until it is replaced"
      ]
    }]
  }
}
