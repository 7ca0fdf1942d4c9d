import * as Schema from "effect/Schema"

/** What a gateway says of itself, as far as it is shown. */
export const StatusView = Schema.Struct({
  gateway: Schema.Struct({
    name: Schema.String,
    version: Schema.String,
    started_at: Schema.String,
    uptime_seconds: Schema.Number,
    policy: Schema.String
  }),
  agents: Schema.Struct({ active: Schema.Int, paused: Schema.Int, revoked: Schema.Int }),
  sessions: Schema.Struct({ open: Schema.Int }),
  approvals: Schema.Struct({ pending: Schema.Int })
})
export interface StatusView extends Schema.Schema.Type<typeof StatusView> {}

/** How a gateway and what it is made of are. */
export const HealthView = Schema.Struct({
  status: Schema.String,
  components: Schema.Array(Schema.Struct({
    name: Schema.String,
    status: Schema.String,
    message: Schema.NullishOr(Schema.String)
  }))
})
export interface HealthView extends Schema.Schema.Type<typeof HealthView> {}

/** The agents of a gateway, as far as they are shown. */
export const AgentsView = Schema.Struct({
  agents: Schema.Array(Schema.Struct({
    name: Schema.String,
    purpose: Schema.NullishOr(Schema.String),
    status: Schema.String,
    last_active_at: Schema.NullishOr(Schema.String),
    open_sessions: Schema.Int,
    pending_approvals: Schema.Int
  }))
})
export interface AgentsView extends Schema.Schema.Type<typeof AgentsView> {}

/** All that `kruxos status` shows. */
export interface Overview {
  readonly status: StatusView
  readonly health: HealthView
  readonly agents: AgentsView["agents"]
}
