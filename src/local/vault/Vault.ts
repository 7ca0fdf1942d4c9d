import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import { HostNotAllowed } from "../../errors/network.js"
import { ScopeViolation, SecretNotFound, VaultLocked } from "../../errors/secrets.js"
import { Audit, type SecretUse } from "../audit/Audit.js"
import { isOwnNetwork } from "../egress/Host.js"
import { means, parse as parseHostPattern, type Target } from "../egress/HostPattern.js"
import { patternsOf } from "../policy/patterns.js"
import { type SecretRecord, Secrets } from "../store/Secrets.js"
import * as Scrub from "./scrub.js"
import { unseal } from "./seal.js"
import { injectedOf, secretTexts } from "./secretForm.js"
import * as VaultKeys from "./vaultKey.js"
import { VaultPlace } from "./VaultPlace.js"

/** Where a secret is to be sent. */
export interface Destination {
  readonly target: Target
  /** The host as errors and the audit log name it. */
  readonly host: string
  /** Why nothing may be sent there, whatever the secret's own hosts are. */
  readonly refusal: string | undefined
}

/** Who wants to use which secret, and what for. */
export interface Request {
  readonly agent: string
  readonly sessionId: string
  readonly name: string
  readonly capability: string
  /** Left out where nothing is sent. */
  readonly destination?: Destination | undefined
}

/** A secret for one use. */
export interface Credential {
  /** What is sent. */
  readonly value: Redacted.Redacted<string>
  /** Takes all of the secret out of what comes back. */
  readonly scrubber: Scrub.Scrubber
}

export interface VaultService {
  /** The secrets that an agent may use, by name; the revoked ones too. */
  readonly list: (agent: string) => Effect.Effect<ReadonlyArray<SecretRecord>, VaultLocked | SqlError>
  /** Fails where the agent has no such secret; one that was revoked, or is not for this agent, is none. */
  readonly find: (
    agent: string,
    name: string
  ) => Effect.Effect<SecretRecord, SecretNotFound | VaultLocked | SqlError>
  /** Gives a secret for one use, if it is the agent's, for this capability and this host. All that is said goes to the audit log. */
  readonly use: (
    request: Request
  ) => Effect.Effect<Credential, HostNotAllowed | ScopeViolation | SecretNotFound | VaultLocked | SqlError>
}

const notFound = (name: string) => {
  const secretName = name.slice(0, 128)
  return new SecretNotFound({ message: "There is no secret of this name", secretName })
}

const outOfScope = ({ name }: SecretRecord, why: string) =>
  new ScopeViolation({ message: `The secret ${name} ${why}`, secretName: name })

const hostNotAllowed = ({ name }: SecretRecord, { host }: Destination, why: string) =>
  new HostNotAllowed({ message: `The secret ${name} may not be sent to ${host}: ${why}`, host, secretName: name })

const isOf = (agent: string, { agents }: SecretRecord): boolean => agents.includes(agent) || agents.includes("*")

const isFor = (capability: string, { capabilities }: SecretRecord): boolean =>
  patternsOf(capability).some((pattern) => capabilities.includes(pattern))

// A host of one's own network may be the agent's own program: that has to be named.
const mayBeSentTo = (target: Target, { hosts }: SecretRecord): boolean =>
  hosts.some((host) =>
    Either.match(parseHostPattern(host), {
      onLeft: () => false,
      onRight: (pattern) => means(pattern, target) && !(pattern._tag === "Any" && isOwnNetwork(target.host))
    })
  )

/** What the value of a secret is sealed about: with anything of it changed it cannot be opened. */
export const aboutSecret = (
  { agents, capabilities, hosts, name, type }: Pick<
    SecretRecord,
    "agents" | "capabilities" | "hosts" | "name" | "type"
  >,
  generation: number
): string => JSON.stringify(["kruxos secret 1", name, type, generation, agents, capabilities, hosts])

const damaged = ({ name }: SecretRecord) =>
  new VaultLocked({
    message: `The secret ${name} cannot be opened: it was changed outside of the vault, or is damaged`
  })

const reasonOf = (failure: { readonly _tag: string }): SecretUse["reason"] => {
  switch (failure._tag) {
    case "SecretNotFound":
      return "not_found"
    case "ScopeViolation":
      return "out_of_scope"
    case "HostNotAllowed":
      return "host_not_allowed"
    case "VaultLocked":
      return "locked"
    default:
      return "failed"
  }
}

/** The vault of the gateway, which hands a secret to nobody but what sends it. */
export const make: Effect.Effect<VaultService, never, Audit | Secrets> = Effect.gen(function*() {
  const audit = yield* Audit
  const secrets = yield* Secrets
  const keys = yield* VaultKeys.make(yield* VaultPlace, secrets)

  const list: VaultService["list"] = (agent) =>
    Effect.zipRight(
      keys.find,
      Effect.map(secrets.list, (all) => all.filter((secret) => isOf(agent, secret)))
    )

  const find: VaultService["find"] = (agent, name) =>
    Effect.flatMap(
      Effect.zipRight(keys.find, secrets.get(name)),
      (found) =>
        Option.isSome(found) && found.value.revokedAt === null && isOf(agent, found.value)
          ? Effect.succeed(found.value)
          : notFound(name)
    )

  const open = (secret: SecretRecord): Effect.Effect<Redacted.Redacted<string>, VaultLocked | SqlError> =>
    Effect.flatMap(keys.find, (key) => {
      const plain = Option.isNone(key) || secret.sealed === null
        ? undefined
        : unseal(Redacted.value(key.value), aboutSecret(secret, secret.generation), secret.sealed)
      return plain === undefined ? damaged(secret) : Effect.succeed(Redacted.make(Buffer.from(plain).toString()))
    })

  const given = ({ agent, capability, destination, name }: Request) =>
    Effect.gen(function*() {
      const secret = yield* find(agent, name)
      if (!isFor(capability, secret)) return yield* outOfScope(secret, "is not for this capability")
      if (secret.hosts.length === 0) return yield* outOfScope(secret, "is for no host")
      if (destination !== undefined) {
        if (!mayBeSentTo(destination.target, secret)) {
          return yield* hostNotAllowed(secret, destination, "it is for other hosts")
        }
        if (destination.refusal !== undefined) {
          return yield* hostNotAllowed(secret, destination, destination.refusal)
        }
      }
      const value = yield* open(secret)
      return {
        value: injectedOf(secret.type, value),
        scrubber: Scrub.make(secretTexts(secret.type, value))
      }
    })

  const use: VaultService["use"] = (request) => {
    const { destination, name, ...about } = request
    const note = (reason: SecretUse["reason"]) =>
      audit.secretUsed({ ...about, secret: name, host: destination?.host, reason })
    return given(request).pipe(
      Effect.tap(() => note(undefined)),
      Effect.tapError((failure) => note(reasonOf(failure)))
    )
  }

  return { list, find, use }
})
