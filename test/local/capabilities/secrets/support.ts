import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { builtIn } from "../../../../src/catalogue/builtIn.js"
import { encodeFailure } from "../../../../src/errors/encode.js"
import type { KruxosError } from "../../../../src/errors/KruxosError.js"
import * as Audit from "../../../../src/local/audit/Audit.js"
import { registerAll } from "../../../../src/local/capabilities/Handler.js"
import { makeSecretsHandlers } from "../../../../src/local/capabilities/secrets/handlers.js"
import * as Egress from "../../../../src/local/egress/Egress.js"
import { NoAnswer } from "../../../../src/local/egress/failures.js"
import * as HostPattern from "../../../../src/local/egress/HostPattern.js"
import { Resolver } from "../../../../src/local/egress/Resolver.js"
import * as Policy from "../../../../src/local/policy/Policy.js"
import { Alerts } from "../../../../src/local/store/Alerts.js"
import { AuditLog } from "../../../../src/local/store/AuditLog.js"
import { Secrets } from "../../../../src/local/store/Secrets.js"
import * as Store from "../../../../src/local/store/Store.js"
import * as Supervision from "../../../../src/local/supervision/Supervision.js"
import * as Keeping from "../../../../src/local/vault/keeping.js"
import { type VaultKey, VaultPlace } from "../../../../src/local/vault/VaultPlace.js"
import { temporaryFolder } from "../../store/support.js"
import { invocationBy } from "../invocation.js"

/** The secret of these tests. */
export const value = "kx-7Yp2/Qq+Zz\"9 ä"

export const credentialed = "network.credentialed_request"

export interface World {
  readonly allow?: ReadonlyArray<string>
  readonly names?: { readonly [name: string]: ReadonlyArray<string> }
  readonly key?: (folder: string) => VaultKey
  readonly maximumAlerts?: number
  /** The key of who keeps the secrets; that of the gateway unless given. */
  readonly keeperKey?: VaultKey
}

type Output = { readonly [name: string]: unknown }

export interface TestVault {
  readonly folder: string
  readonly keeping: Keeping.Keeping
  /** Keeps a secret `token` for the agent `agent`, for requests to 127.0.0.1, unless told otherwise. */
  readonly add: (secret?: Partial<Keeping.NewSecret>) => Effect.Effect<void>
  /** Invokes as an agent, with arguments as they come from the wire. */
  readonly invoke: (
    name: string,
    input: Output,
    agent?: string
  ) => Effect.Effect<Output, KruxosError, Scope.Scope>
  /** What the audit log says of uses, without what changes from run to run. */
  readonly uses: Effect.Effect<ReadonlyArray<unknown>>
  readonly alerts: (agent?: string) => Effect.Effect<ReadonlyArray<unknown>>
}

const policyOf = (allow: ReadonlyArray<string>): Policy.PolicyService => {
  const patterns = allow.map((text) => Either.getOrThrowWith(HostPattern.parse(text), (what) => new Error(what)))
  const egress = Egress.make([{ rule: "organization:network.allow", patterns }])
  return { ...Policy.allowAll, egress: () => egress }
}

const decodeOutput = Schema.decodeUnknown(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

/** A vault in a folder of its own, and the handlers over it. */
export const testVault = (
  { allow = ["127.0.0.1"], keeperKey, key, maximumAlerts, names = {} }: World = {}
): Effect.Effect<
  TestVault,
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const store = Layer.orDie(Store.layer({ filename: join(folder, "gateway.db"), alerts: { maximumAlerts } }))
    const services = yield* Layer.build(
      Layer.provideMerge(Layer.provide(Audit.layer(undefined), Supervision.layer()), store)
    )
    return yield* Effect.gen(function*() {
      const place = { dataDirectory: folder, key: key?.(folder) }
      const keeperPlace = { dataDirectory: folder, key: keeperKey ?? place.key }
      const keeping = yield* Keeping.make(keeperPlace, yield* Secrets, yield* AuditLog)
      const handlers = yield* makeSecretsHandlers.pipe(
        Effect.provideService(VaultPlace, place),
        Effect.provideService(Policy.Policy, policyOf(allow)),
        Effect.provideService(Resolver, {
          addressesOf: (asked) => {
            const addresses = names[asked]
            return addresses === undefined
              ? Effect.fail(new NoAnswer({ reason: "not_resolved", message: `no ${asked}`, sent: false }))
              : Effect.succeed(addresses)
          }
        })
      )
      const registrations = registerAll(builtIn, handlers)
      const log = yield* AuditLog
      const alerts = yield* Alerts
      const made: TestVault = {
        folder,
        keeping,
        add: (secret) =>
          Effect.orDie(Effect.asVoid(keeping.add({
            name: "token",
            type: "api_key",
            value: Redacted.make(value),
            agents: ["agent"],
            capabilities: [credentialed],
            hosts: ["127.0.0.1"],
            ...secret
          }))),
        invoke: (name, input, agent = "agent") =>
          Effect.gen(function*() {
            const registration = registrations.find(({ capability }) => capability.name === name)
            if (registration === undefined) return yield* Effect.dieMessage(`no ${name}`)
            const prepared = yield* registration.prepare(input)
            return yield* Effect.orDie(decodeOutput(yield* prepared(yield* invocationBy(agent))))
          }),
        uses: Effect.orDie(Effect.map(
          Effect.zipRight(Effect.sleep("150 millis"), log.list({ limit: 1000 })),
          (entries) =>
            entries.filter(({ kind }) => kind === "secrets.use").map(({ agent, capability, details, sessionId }) => ({
              agent,
              capability,
              sessionId,
              details: JSON.parse(details)
            }))
        )),
        alerts: (agent = "agent") =>
          Effect.orDie(Effect.map(alerts.list({ agent, limit: 10 }), (found) => found.alerts))
      }
      return made
    }).pipe(Effect.provide(services))
  }).pipe(Effect.orDie)

/** All that an error says, wherever it goes: as text, as JSON, on the wire, and what is behind it. */
export const everythingOf = (error: KruxosError): string => {
  const seen: Array<string> = []
  let cause: unknown = error
  for (let depth = 0; cause instanceof Error && depth < 10; depth++) {
    seen.push(String(cause), cause.stack ?? "", JSON.stringify(Object.entries(cause)), JSON.stringify(cause))
    cause = cause.cause
  }
  return [...seen, JSON.stringify(encodeFailure(error))].join("\n")
}
