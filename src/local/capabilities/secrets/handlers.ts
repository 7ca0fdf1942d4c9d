import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { CapabilityUnavailable, ResourceExhausted } from "../../../errors/general.js"
import type { Audit } from "../../audit/Audit.js"
import { Resolver } from "../../egress/Resolver.js"
import { Policy } from "../../policy/Policy.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import { Alerts, type Severity } from "../../store/Alerts.js"
import type { SecretRecord, Secrets } from "../../store/Secrets.js"
import { make as makeVault } from "../../vault/Vault.js"
import type { HandlersOf } from "../Handler.js"
import { makeCredentialedRequest } from "../network/credentialedRequest.js"

type Carried = HandlersOf<BuiltIn, "secrets"> & Pick<HandlersOf<BuiltIn, "network">, "network.credentialed_request">

const vaultError = (cause: SqlError) =>
  new CapabilityUnavailable({
    type: "VaultError",
    reason: "VaultError",
    message: "The gateway's store of secrets does not answer",
    retryable: true,
    cause
  })

const shown = ({ capabilities, createdAt, name, revokedAt, type }: SecretRecord) => ({
  name,
  type,
  allowed_capabilities: capabilities,
  created_at: createdAt,
  revoked: revokedAt !== null
})

const why: { readonly [reason in "expiring" | "compromised" | "auth_failure"]: readonly [Severity, string] } = {
  expiring: ["warning", "it expires soon"],
  compromised: ["critical", "somebody else may know it"],
  auth_failure: ["warning", "it was refused where it was used"]
}

/** The handlers of what needs the vault: `secrets.*` and requests with a secret. No value of a secret leaves them. */
export const makeSecretsHandlers: Effect.Effect<Carried, never, Alerts | Audit | Policy | Secrets> = Effect.gen(
  function*() {
    const alerts = yield* Alerts
    const vault = yield* makeVault
    const handlers: Carried = {
      "secrets.list": ({ include_revoked }, { agent }) =>
        Effect.mapBoth(vault.list(agent.name), {
          onFailure: (error) => error._tag === "SqlError" ? vaultError(error) : error,
          onSuccess: (found) => {
            const secrets = found.filter(({ revokedAt }) => include_revoked || revokedAt === null).map(shown)
            return { secrets, total: secrets.length }
          }
        }),

      "secrets.use": ({ capability, secret_name }, { agent, sessionId }) =>
        vault.use({ agent: agent.name, sessionId, name: secret_name, capability }).pipe(
          Effect.as({ used: true }),
          Effect.catchTags({
            SqlError: storeUnavailable,
            // Nothing is sent, and nobody is asked whether it may be.
            HostNotAllowed: (defect) => Effect.die(defect)
          })
        ),

      "secrets.rotate_request": ({ reason, secret_name }, { agent }) =>
        Effect.gen(function*() {
          const { name } = yield* vault.find(agent.name, secret_name)
          const [severity, because] = why[reason]
          const request_id = yield* alerts.send({
            agent: agent.name,
            severity,
            title: `Replace the secret ${name}`,
            message: `${agent.name} asks for another value of the secret ${name}: ${because}. Once there is one: `
              + `kruxos vault rotate --name ${name}`,
            context: { secret_name: name, reason }
          })
          return { request_id, secret_name: name, status: "submitted" as const }
        }).pipe(Effect.catchTags({
          SqlError: storeUnavailable,
          TooManyAlerts: ({ limit, message }) => new ResourceExhausted({ message, resource: "alerts", limit })
        })),

      "network.credentialed_request": makeCredentialedRequest(yield* Policy, yield* Resolver, vault)
    }
    return handlers
  }
)
