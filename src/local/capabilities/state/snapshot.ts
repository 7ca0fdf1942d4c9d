import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { SnapshotNotFound } from "../../../errors/state.js"
import { contentFor } from "../../archive/snapshotContent.js"
import { Identifiers, type IdentifiersService } from "../../Identifiers.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import type { Agents } from "../../store/Agents.js"
import type { Alerts } from "../../store/Alerts.js"
import type { ApprovalSummaries } from "../../store/ApprovalSummaries.js"
import { type Snapshot, Snapshots } from "../../store/Snapshots.js"
import type { HandlersOf } from "../Handler.js"
import type { HealthCheck } from "../system/healthCheck.js"
import { ioError } from "./ioError.js"

const shown = ({ size, snapshotId, takenAt }: Snapshot) => ({
  snapshot_id: snapshotId,
  timestamp: takenAt,
  size_bytes: size
})

const newId = (at: DateTime.Utc, { hexadecimal }: IdentifiersService) =>
  `snap-${DateTime.formatIso(at).slice(0, 19).replaceAll(/[-:]/g, "")}-${hexadecimal(4)}`

const cannotRead = (cause: SqlError) => ioError("The snapshots cannot be read", cause)

const notFound = (id: string) => {
  const snapshotId = id.slice(0, 128)
  return new SnapshotNotFound({ message: `There is no snapshot ${snapshotId}, or no longer`, snapshotId })
}

/** The handlers of `state.snapshot.*`. An agent has its own snapshots, and sees no others. */
export const makeSnapshotHandlers = Effect.gen(function*() {
  const snapshots = yield* Snapshots
  const identifiers = yield* Identifiers
  const services = yield* Effect.context<Agents | Alerts | ApprovalSummaries | HealthCheck | SqlClient.SqlClient>()
  const handlers: HandlersOf<BuiltIn, "state.snapshot"> = {
    "state.snapshot.create": (_input, { agent, workspace }) =>
      Effect.gen(function*() {
        const content = yield* Effect.provide(contentFor(agent.name, workspace.root), services)
        const now = yield* DateTime.now
        const takenAt = DateTime.toEpochMillis(now)
        return shown(yield* snapshots.add({ agent: agent.name, snapshotId: newId(now, identifiers), takenAt, content }))
      }).pipe(Effect.mapError((cause) => ioError("The snapshot cannot be kept", cause))),

    "state.snapshot.list": (_input, { agent }) =>
      Effect.mapBoth(snapshots.list(agent.name), {
        onFailure: cannotRead,
        onSuccess: (found) => ({ snapshots: found.map(shown), count: found.length })
      }),

    "state.snapshot.load": ({ snapshot_id }, { agent }) =>
      snapshot_id.includes("\0") ? notFound(snapshot_id) : Effect.flatMap(
        Effect.mapError(snapshots.load(agent.name, snapshot_id), storeUnavailable),
        Option.match({
          onNone: () => notFound(snapshot_id),
          onSome: (snapshot) => Effect.succeed({ snapshot })
        })
      )
  }
  return handlers
})
