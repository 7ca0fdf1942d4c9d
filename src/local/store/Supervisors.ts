import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import { InvalidCredentials } from "./AgentErrors.js"
import * as AgentKey from "./AgentKey.js"
import * as rows from "./rows.js"

/** A human who decides about what agents want to do. */
export interface Supervisor {
  readonly name: string
}

/** The supervisors of a gateway and the hashes of their tokens. */
export class Supervisors extends Context.Tag("kruxos/local/store/Supervisors")<Supervisors, {
  /** Makes a token that of the supervisor: what was it before is refused from then on. */
  readonly register: (token: Redacted.Redacted<string>) => Effect.Effect<void, SqlError>
  /** Whose token it is. */
  readonly authenticate: (token: Redacted.Redacted<string>) => Effect.Effect<Supervisor, InvalidCredentials | SqlError>
}>() {}

const name = "supervisor"

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const all = rows.all(Schema.Struct({ name: Schema.String, tokenHash: Schema.String }))
  return {
    register: (token: Redacted.Redacted<string>) => {
      const { hash } = AgentKey.hashOf(token)
      return Effect.asVoid(sql`
        INSERT INTO supervisors (name, token_hash) VALUES (${name}, ${hash})
        ON CONFLICT (name) DO UPDATE SET token_hash = ${hash}`)
    },
    authenticate: (token: Redacted.Redacted<string>) =>
      Effect.gen(function*() {
        const { hash } = AgentKey.hashOf(token)
        let found: string | undefined
        for (const { name, tokenHash } of yield* all(sql`SELECT name, token_hash AS "tokenHash" FROM supervisors`)) {
          if (AgentKey.isSame(tokenHash, hash)) found = name
        }
        return found === undefined ? yield* new InvalidCredentials() : { name: found }
      })
  }
})

/** `Supervisors` in the store. */
export const layer: Layer.Layer<Supervisors, never, SqlClient.SqlClient> = service(Supervisors, make)
