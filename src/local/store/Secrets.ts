import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import * as rows from "./rows.js"

export const SecretType = Schema.Literal("oauth_token", "api_key", "agent_auth_token", "encryption_key")
export type SecretType = typeof SecretType.Type

const Names = Schema.parseJson(Schema.Array(Schema.String))

/** A secret as it is kept. `sealed` is its value, encrypted; one that was revoked has none any more. */
export const SecretRecord = Schema.Struct({
  name: Schema.String,
  type: SecretType,
  agents: Names,
  capabilities: Names,
  hosts: Names,
  generation: Schema.Int,
  createdAt: rows.Timestamp,
  rotatedAt: Schema.NullOr(rows.Timestamp),
  revokedAt: Schema.NullOr(rows.Timestamp),
  sealed: Schema.NullOr(Schema.String)
})
export interface SecretRecord extends Schema.Schema.Type<typeof SecretRecord> {}

/** How the key of the vault is made, and something that only this key opens. */
export const VaultRecord = Schema.Struct({
  keyKind: Schema.Literal("hkdf-sha256", "scrypt"),
  salt: Schema.Uint8ArrayFromHex,
  keyCheck: Schema.String
})
export interface VaultRecord extends Schema.Schema.Type<typeof VaultRecord> {}

/** There is a secret of that name, which was not revoked. */
export class SecretAlreadyExists extends Data.TaggedError("SecretAlreadyExists")<{ readonly name: string }> {
  override get message() {
    return `There is a secret named ${this.name} already`
  }
}

/** There is no secret of that name, or it was revoked. */
export class UnknownSecret extends Data.TaggedError("UnknownSecret")<{ readonly name: string }> {
  override get message() {
    return `There is no secret named ${this.name}`
  }
}

/** As many secrets as can be kept are there. */
export class TooManySecrets extends Data.TaggedError("TooManySecrets")<{ readonly limit: number }> {
  override get message() {
    return `There are ${this.limit} secrets, and no more can be kept: revoke some`
  }
}

/** How many secrets that were not revoked there can be. */
export const mostSecrets = 1000

/** A secret that is to be kept, with its value sealed for the generation that it gets. */
export interface NewSecret extends Pick<SecretRecord, "name" | "type" | "agents" | "capabilities" | "hosts"> {
  readonly seal: (generation: number) => string
}

export interface SecretsService {
  readonly vault: Effect.Effect<Option.Option<VaultRecord>, SqlError>
  /** Keeps how the vault's key is made, where that is not settled yet, and says what is kept. */
  readonly settleVault: (record: VaultRecord) => Effect.Effect<VaultRecord, SqlError>
  /** Adds a secret; the name of one that was revoked can be used again. */
  readonly add: (
    secret: NewSecret
  ) => Effect.Effect<SecretRecord, SecretAlreadyExists | TooManySecrets | SqlError>
  readonly get: (name: string) => Effect.Effect<Option.Option<SecretRecord>, SqlError>
  /** All by name, the revoked ones too. */
  readonly list: Effect.Effect<ReadonlyArray<SecretRecord>, SqlError>
  /** Replaces the value of a secret. */
  readonly rotate: (
    name: string,
    seal: (secret: SecretRecord, generation: number) => string
  ) => Effect.Effect<SecretRecord, UnknownSecret | SqlError>
  /** Takes a secret's value away for good. */
  readonly revoke: (name: string) => Effect.Effect<void, UnknownSecret | SqlError>
}

/** The secrets of a gateway, none of whose values it can read without the vault's key. */
export class Secrets extends Context.Tag("kruxos/local/store/Secrets")<Secrets, SecretsService>() {}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const allSecrets = rows.all(SecretRecord)
  const firstSecret = rows.first(SecretRecord)
  const firstVault = rows.first(VaultRecord)
  const onlyVault = rows.only(VaultRecord)
  const columns = sql.literal(
    `name, type, agents, capabilities, hosts, generation, created_at AS "createdAt", rotated_at AS "rotatedAt",
      revoked_at AS "revokedAt", sealed`
  )
  const findVault = sql`SELECT key_kind AS "keyKind", salt, key_check AS "keyCheck" FROM vaults`
  const get: SecretsService["get"] = (name) => firstSecret(sql`SELECT ${columns} FROM secrets WHERE name = ${name}`)

  const live = (name: string) =>
    Effect.flatMap(get(name), (found) =>
      Option.isSome(found) && found.value.revokedAt === null
        ? Effect.succeed(found.value)
        : new UnknownSecret({ name }))

  const checkRoom = Effect.flatMap(
    rows.count(sql`SELECT COUNT(*) AS count FROM secrets WHERE revoked_at IS NULL`),
    (count) => count < mostSecrets ? Effect.void : new TooManySecrets({ limit: mostSecrets })
  )

  return {
    vault: firstVault(findVault),
    settleVault: ({ keyCheck, keyKind, salt }) =>
      Effect.zipRight(
        sql`INSERT INTO vaults (vault_id, key_kind, salt, key_check)
          VALUES ('vault', ${keyKind}, ${Schema.encodeSync(Schema.Uint8ArrayFromHex)(salt)}, ${keyCheck})
          ON CONFLICT (vault_id) DO NOTHING`,
        onlyVault(findVault)
      ).pipe(sql.withTransaction),
    add: ({ agents, capabilities, hosts, name, seal, type }) =>
      Effect.gen(function*() {
        const known = yield* get(name)
        if (Option.isSome(known) && known.value.revokedAt === null) return yield* new SecretAlreadyExists({ name })
        yield* checkRoom
        const createdAt = yield* DateTime.now
        const generation = Option.match(known, { onNone: () => 1, onSome: (before) => before.generation + 1 })
        const sealed = seal(generation)
        yield* sql`DELETE FROM secrets WHERE name = ${name}`
        yield* sql`
          INSERT INTO secrets (name, type, agents, capabilities, hosts, generation, created_at, sealed)
          VALUES (${name}, ${type}, ${yield* rows.encodeJson(agents)}, ${yield* rows.encodeJson(capabilities)},
            ${yield* rows.encodeJson(hosts)}, ${generation}, ${DateTime.toEpochMillis(createdAt)}, ${sealed})`
        const record: SecretRecord = {
          name,
          type,
          agents,
          capabilities,
          hosts,
          generation,
          createdAt,
          rotatedAt: null,
          revokedAt: null,
          sealed
        }
        return record
      }).pipe(sql.withTransaction),
    get,
    list: allSecrets(sql`SELECT ${columns} FROM secrets ORDER BY name`),
    rotate: (name, seal) =>
      Effect.gen(function*() {
        const secret = yield* live(name)
        const rotatedAt = yield* DateTime.now
        const generation = secret.generation + 1
        const sealed = seal(secret, generation)
        yield* sql`
          UPDATE secrets SET sealed = ${sealed}, generation = ${generation},
            rotated_at = ${DateTime.toEpochMillis(rotatedAt)}
          WHERE name = ${name}`
        return { ...secret, generation, rotatedAt, sealed }
      }).pipe(sql.withTransaction),
    revoke: (name) =>
      Effect.gen(function*() {
        yield* live(name)
        const revokedAt = DateTime.toEpochMillis(yield* DateTime.now)
        yield* sql`UPDATE secrets SET sealed = NULL, revoked_at = ${revokedAt} WHERE name = ${name}`
      }).pipe(sql.withTransaction)
  } satisfies SecretsService
})

/** `Secrets` in the store. */
export const layer: Layer.Layer<Secrets, never, SqlClient.SqlClient> = service(Secrets, make)
