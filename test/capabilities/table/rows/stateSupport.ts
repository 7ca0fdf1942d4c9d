import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { World } from "../World.js"

export const mebibyte = 1024 * 1024

/** A gateway where humans approve what works with the session: it runs outside of the session that asked for it. */
export const withoutSession = ({ elsewhere }: World) =>
  elsewhere({
    policy: { tiers: { "state.session.*": "approval_required", "state.shared.watch": "approval_required" } }
  })

/** So many bytes of the quota are taken, as the store has noted it of an agent, or for `*` of all. */
export const taking = ({ gateway }: World, space: string, bytes: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`UPDATE state_spaces SET used_bytes = ${bytes} WHERE space = ${space}`
  ).pipe(gateway.inStore, Effect.orDie)
