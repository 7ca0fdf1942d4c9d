import type * as SqlClient from "@effect/sql/SqlClient"
import * as Layer from "effect/Layer"
import * as Agents from "./Agents.js"
import * as Approvals from "./Approvals.js"
import * as ApprovalSummaries from "./ApprovalSummaries.js"
import * as AuditLog from "./AuditLog.js"
import * as GatewayInstance from "./GatewayInstance.js"
import * as Inbox from "./Inbox.js"
import * as KeyedInvocations from "./KeyedInvocations.js"
import * as LibsqlClient from "./LibsqlClient.js"
import type * as LibsqlDatabase from "./LibsqlDatabase.js"
import * as migrations from "./migrations.js"
import * as Sessions from "./Sessions.js"
import type { StoreUnavailable } from "./StoreUnavailable.js"
import * as Supervisors from "./Supervisors.js"
import * as Trash from "./Trash.js"

/** Everything that a gateway keeps, and the client under it. */
export type Store =
  | Agents.Agents
  | Approvals.ApprovalRequests
  | ApprovalSummaries.ApprovalSummaries
  | AuditLog.AuditLog
  | GatewayInstance.GatewayInstance
  | Inbox.Inbox
  | KeyedInvocations.KeyedInvocations
  | Sessions.Sessions
  | SqlClient.SqlClient
  | Supervisors.Supervisors
  | Trash.Trash

export interface Options extends LibsqlDatabase.Options {
  readonly inbox?: Inbox.Options | undefined
}

/**
 * Opens the store, or makes it, with its tables up to date, until the end of the layer's scope. Fails with
 * `StoreUnavailable`.
 */
export const layer = (options: Options): Layer.Layer<Store, StoreUnavailable> => {
  const client = LibsqlClient.layer(options)
  const migrated = Layer.effectDiscard(migrations.run(options.filename)).pipe(Layer.provideMerge(client))
  return Layer.mergeAll(
    Agents.layer,
    Approvals.layer,
    ApprovalSummaries.layer,
    AuditLog.layer,
    Inbox.layer(options.inbox),
    KeyedInvocations.layer,
    Sessions.layer,
    Supervisors.layer,
    Trash.layer
  ).pipe(Layer.provideMerge(Layer.merge(migrated, GatewayInstance.layer)))
}
