import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { AgentRevoked } from "../store/AgentErrors.js"
import { Agents } from "../store/Agents.js"
import type { DataDirectory } from "./DataDirectory.js"

/** The gateway does not know the key of the agent that it is to serve. */
export class OwnKeyUnknown
  extends Data.TaggedError("OwnKeyUnknown")<{ readonly agent: string; readonly message: string }>
{}

/** What is known of the gateway's own agent. */
export interface OwnAgentOptions {
  readonly name: string
  readonly data: Option.Option<DataDirectory>
  /** The key that a new agent gets; else one is made, and kept in the data directory if there is one. */
  readonly apiKey?: Redacted.Redacted<string> | undefined
}

const create = ({ apiKey: given, data, name }: OwnAgentOptions) =>
  Effect.gen(function*() {
    const created = yield* (yield* Agents).create({ name, apiKey: given })
    if (given === undefined && Option.isSome(data)) yield* data.value.writeKey(name, created.apiKey)
    return created
  })

/** The agent, made where there is none. For a gateway inside the process, which needs no key. */
export const withoutKey = (options: OwnAgentOptions) =>
  Effect.gen(function*() {
    const { name } = options
    const known = yield* (yield* Agents).get(name)
    if (Option.isNone(known)) return (yield* create(options)).agent
    return known.value.status === "revoked" ? yield* new AgentRevoked({ name }) : known.value
  })

/**
 * The agent that a served gateway has from the start, and its key: the one that is given, or the one that is kept in the data
 * directory.
 */
export const withKey = (options: OwnAgentOptions) =>
  Effect.gen(function*() {
    const { apiKey: given, data, name } = options
    const agents = yield* Agents
    const known = yield* agents.get(name)
    if (Option.isNone(known)) return yield* create(options)
    if (known.value.status === "revoked") return yield* new AgentRevoked({ name })
    const kept = Option.isSome(data) ? yield* data.value.readKey(name) : Option.none()
    const apiKey = given ?? Option.getOrUndefined(kept)
    if (apiKey === undefined) {
      return yield* new OwnKeyUnknown({
        agent: name,
        message:
          `The key of agent ${name} is not kept here: give it with --api-key, or make another with \`kruxos agent rotate\``
      })
    }
    const agent = yield* Effect.option(agents.authenticate(apiKey))
    if (Option.isNone(agent) || agent.value.name !== name) {
      return yield* new OwnKeyUnknown({
        agent: name,
        message: `The key ${given === undefined ? "kept here" : "given"} is not that of agent ${name}`
      })
    }
    return { agent: agent.value, apiKey }
  })
