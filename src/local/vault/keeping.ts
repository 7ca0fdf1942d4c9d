import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import type { VaultLocked } from "../../errors/secrets.js"
import { endLost, fact, type Kind } from "../audit/facts.js"
import type { AuditLogService } from "../store/AuditLog.js"
import {
  SecretAlreadyExists,
  type SecretRecord,
  type SecretsService,
  type SecretType,
  type TooManySecrets,
  UnknownSecret
} from "../store/Secrets.js"
import { seal } from "./seal.js"
import { checkForm, checkValue, type InvalidSecret, type Scopes } from "./secretForm.js"
import { aboutSecret } from "./Vault.js"
import * as VaultKeys from "./vaultKey.js"
import type { Place } from "./VaultPlace.js"

/** A secret that is to be kept. */
export interface NewSecret extends Scopes {
  readonly name: string
  readonly type: SecretType
  readonly value: Redacted.Redacted<string>
}

/** What whoever looks after a gateway can do about its secrets: all but read them. */
export interface Keeping {
  readonly add: (
    secret: NewSecret
  ) => Effect.Effect<SecretRecord, InvalidSecret | SecretAlreadyExists | TooManySecrets | VaultLocked | SqlError>
  readonly list: Effect.Effect<ReadonlyArray<SecretRecord>, SqlError>
  /** Replaces the value; who may use it, and where, stays as it is. */
  readonly rotate: (
    name: string,
    value: Redacted.Redacted<string>
  ) => Effect.Effect<SecretRecord, InvalidSecret | UnknownSecret | VaultLocked | SqlError>
  /** Takes the value away for good. Needs no key. */
  readonly revoke: (name: string) => Effect.Effect<void, UnknownSecret | SqlError>
}

const bytesOf = (value: Redacted.Redacted<string>) => Buffer.from(Redacted.value(value))

/** Keeps the secrets of a data directory, also beside a gateway that runs on it. What is done goes to the audit log. */
export const make = (place: Place, secrets: SecretsService, log: AuditLogService): Effect.Effect<Keeping> =>
  Effect.gen(function*() {
    const keys = yield* VaultKeys.make(place, secrets)

    // What has been done stays done where it cannot be put there, which is logged.
    const note = (kind: Kind, secret: string) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (at) => log.append([fact(at, kind, {}, { secret })], Option.none(), (head) => endLost(at, head))
      ).pipe(Effect.catchAll((cause) => Effect.logWarning(`The audit log does not have it: ${kind} ${secret}`, cause)))

    const known = (name: string) =>
      Effect.flatMap(secrets.get(name), (found) =>
        Option.isSome(found) && found.value.revokedAt === null
          ? Effect.succeed(found.value)
          : new UnknownSecret({ name }))

    const add: Keeping["add"] = ({ value, ...secret }) =>
      Effect.gen(function*() {
        const { name, type } = secret
        yield* checkForm(name, secret)
        yield* checkValue(type, value)
        // Before the key, which may be made for it.
        const before = yield* secrets.get(name)
        if (Option.isSome(before) && before.value.revokedAt === null) return yield* new SecretAlreadyExists({ name })
        const key = yield* keys.findOrMake
        const added = yield* secrets.add({
          ...secret,
          seal: (generation) => seal(Redacted.value(key), aboutSecret(secret, generation), bytesOf(value))
        })
        yield* note("secret_added", name)
        return added
      })

    const rotate: Keeping["rotate"] = (name, value) =>
      Effect.gen(function*() {
        yield* checkValue((yield* known(name)).type, value)
        const key = yield* keys.findOrMake
        const rotated = yield* secrets.rotate(
          name,
          (secret, generation) => seal(Redacted.value(key), aboutSecret(secret, generation), bytesOf(value))
        )
        yield* note("secret_rotated", name)
        return rotated
      })

    return {
      add,
      list: secrets.list,
      rotate,
      revoke: (name) => Effect.zipRight(secrets.revoke(name), note("secret_revoked", name))
    }
  })
