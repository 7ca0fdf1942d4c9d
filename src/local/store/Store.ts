import type * as SqlClient from "@effect/sql/SqlClient"
import type * as Layer from "effect/Layer"
import { inOrder, scopedDiscard } from "../inOrder.js"
import * as AgentActivity from "./AgentActivity.js"
import * as Agents from "./Agents.js"
import * as Alerts from "./Alerts.js"
import * as Approvals from "./Approvals.js"
import * as ApprovalSummaries from "./ApprovalSummaries.js"
import * as AuditLog from "./AuditLog.js"
import * as AuditPages from "./AuditPages.js"
import * as Channels from "./Channels.js"
import * as GatewayInstance from "./GatewayInstance.js"
import * as Inbox from "./Inbox.js"
import * as KeyedInvocations from "./KeyedInvocations.js"
import * as LibsqlClient from "./LibsqlClient.js"
import type * as LibsqlDatabase from "./LibsqlDatabase.js"
import * as Messages from "./Messages.js"
import * as migrations from "./migrations.js"
import * as PersistentState from "./PersistentState.js"
import * as Schedules from "./Schedules.js"
import * as Secrets from "./Secrets.js"
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
  | Channels.Channels
  | GatewayInstance.GatewayInstance
  | Inbox.Inbox
  | KeyedInvocations.KeyedInvocations
  | Messages.Messages
  | PersistentState.PersistentState
  | Secrets.Secrets
  | Schedules.Schedules
  | Sessions.Sessions
  | SharedState.SharedState
  | Snapshots.Snapshots
  | SqlClient.SqlClient
  | Supervisors.Supervisors
  | Transactions.Transactions
  | Trash.Trash

export interface Options extends LibsqlDatabase.Options {
  /** What is used instead of a database of its own: open already, and open for longer than the store. */
  readonly database?: LibsqlDatabase.LibsqlDatabase | undefined
  readonly alerts?: Alerts.Options | undefined
  readonly channels?: Channels.Options | undefined
  readonly inbox?: Inbox.Options | undefined
  readonly keyedInvocations?: KeyedInvocations.Options | undefined
  readonly messages?: Messages.Options | undefined
  readonly persistentState?: PersistentState.Options | undefined
  readonly schedules?: Schedules.Options | undefined
  readonly sharedState?: SharedState.Options | undefined
  readonly snapshots?: Snapshots.Options | undefined
}

/**
 * Opens the store, or makes it, with its tables up to date, until the end of the layer's scope. Fails with
 * `StoreUnavailable`.
 */
export const layer = (options: Options): Layer.Layer<Store, StoreUnavailable> => {
  const client = options.database === undefined
    ? LibsqlClient.layer(options)
    : LibsqlClient.layerOver(options.database)
  const tables = scopedDiscard(migrations.run(options.filename))
  return inOrder((nothing, and) =>
    nothing.pipe(
      and(client),
      and(tables),
      and(GatewayInstance.layer),
      and(AgentActivity.layer),
      and(Agents.layer),
      and(Alerts.layer(options.alerts)),
      and(Approvals.layer),
      and(ApprovalSummaries.layer),
      and(AuditLog.layer),
      and(AuditPages.layer()),
      and(Channels.layer(options.channels)),
      and(Inbox.layer(options.inbox)),
      and(KeyedInvocations.layer(options.keyedInvocations)),
      and(Messages.layer(options.messages)),
      and(PersistentState.layer(options.persistentState))
    ).pipe(
      and(Secrets.layer),
      and(Schedules.layer(options.schedules)),
      and(Sessions.layer),
      and(SharedState.layer(options.sharedState)),
      and(Snapshots.layer(options.snapshots)),
      and(Supervisors.layer),
      and(Transactions.layer),
      and(Trash.layer)
    )
  )
}
