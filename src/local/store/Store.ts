import type * as SqlClient from "@effect/sql/SqlClient"
import * as Layer from "effect/Layer"
import * as AgentActivity from "./AgentActivity.js"
import * as Agents from "./Agents.js"
import * as Alerts from "./Alerts.js"
import * as Approvals from "./Approvals.js"
import * as ApprovalSummaries from "./ApprovalSummaries.js"
import * as AuditLog from "./AuditLog.js"
import * as AuditPages from "./AuditPages.js"
import * as GatewayInstance from "./GatewayInstance.js"
import * as Inbox from "./Inbox.js"
import * as KeyedInvocations from "./KeyedInvocations.js"
import * as LibsqlClient from "./LibsqlClient.js"
import type * as LibsqlDatabase from "./LibsqlDatabase.js"
import * as migrations from "./migrations.js"
import * as PersistentState from "./PersistentState.js"
import * as Sessions from "./Sessions.js"
import * as SharedState from "./SharedState.js"
import * as Snapshots from "./Snapshots.js"
import type { StoreUnavailable } from "./StoreUnavailable.js"
import * as Supervisors from "./Supervisors.js"
import * as Transactions from "./Transactions.js"
import * as Trash from "./Trash.js"

/** Everything that a gateway keeps, and the client under it. */
export type Store =
  | AgentActivity.AgentActivity
  | Agents.Agents
  | Alerts.Alerts
  | Approvals.ApprovalRequests
  | ApprovalSummaries.ApprovalSummaries
  | AuditLog.AuditLog
  | AuditPages.AuditPages
  | GatewayInstance.GatewayInstance
  | Inbox.Inbox
  | KeyedInvocations.KeyedInvocations
  | PersistentState.PersistentState
  | Sessions.Sessions
  | SharedState.SharedState
  | Snapshots.Snapshots
  | SqlClient.SqlClient
  | Supervisors.Supervisors
  | Transactions.Transactions
  | Trash.Trash

export interface Options extends LibsqlDatabase.Options {
  readonly alerts?: Alerts.Options | undefined
  readonly inbox?: Inbox.Options | undefined
  readonly keyedInvocations?: KeyedInvocations.Options | undefined
  readonly persistentState?: PersistentState.Options | undefined
  readonly sharedState?: SharedState.Options | undefined
  readonly snapshots?: Snapshots.Options | undefined
}

/**
 * Opens the store, or makes it, with its tables up to date, until the end of the layer's scope. Fails with
 * `StoreUnavailable`.
 */
export const layer = (options: Options): Layer.Layer<Store, StoreUnavailable> => {
  const client = LibsqlClient.layer(options)
  const migrated = Layer.effectDiscard(migrations.run(options.filename)).pipe(Layer.provideMerge(client))
  return Layer.mergeAll(
    AgentActivity.layer,
    Agents.layer,
    Alerts.layer(options.alerts),
    Approvals.layer,
    ApprovalSummaries.layer,
    AuditLog.layer,
    AuditPages.layer(),
    Inbox.layer(options.inbox),
    KeyedInvocations.layer(options.keyedInvocations),
    PersistentState.layer(options.persistentState),
    Sessions.layer,
    SharedState.layer(options.sharedState),
    Snapshots.layer(options.snapshots),
    Supervisors.layer,
    Transactions.layer,
    Trash.layer
  ).pipe(Layer.provideMerge(Layer.merge(migrated, GatewayInstance.layer)))
}
