import type { SqlError } from "@effect/sql/SqlError"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { builtIn } from "../../catalogue/builtIn.js"
import type { AnyCatalogue } from "../../catalogue/Catalogue.js"
import { ResourceExhausted } from "../../errors/general.js"
import type { Registration } from "../../local/capabilities/Handler.js"
import type { MethodsService } from "../../local/protocol/methods.js"
import { Sessions } from "../../local/sessions/Sessions.js"
import type { SessionStates } from "../../local/state/SessionStates.js"
import { storeUnavailable } from "../../local/store/agentFailure.js"
import { Inbox } from "../../local/store/Inbox.js"
import type { PersistentState } from "../../local/store/PersistentState.js"
import type { SharedState } from "../../local/store/SharedState.js"
import * as StateOverlay from "../../local/store/StateOverlay.js"
import type { Undo } from "../../local/transactions/Undo.js"
import type { InitialState } from "../MockGatewayOptions.js"
import { bufferedUndos } from "./bufferedUndos.js"
import * as Notifications from "./notifications.js"
import * as Outbox from "./Outbox.js"
import { proxyRegistrations } from "./proxy.js"
import { recording } from "./recording.js"
import * as State from "./state.js"
import type { EmitFailure, Happening, World } from "./World.js"

/** What the world sees of a gateway's core. */
export type WorldServices = Inbox | PersistentState | Sessions | SessionStates | SharedState

export interface WorldOptions {
  /** The core that runs now; after a restart the new one. */
  readonly current: Effect.Effect<Context.Context<WorldServices>>
  readonly agent: string
  readonly state?: InitialState | undefined
  /** Capabilities of the test's own. */
  readonly catalogue?: AnyCatalogue | undefined
}

/** What is behind a gateway, and what the gateway does for it. */
export interface WorldBehind {
  readonly world: World
  /** Fills the stores, the first time; to be run before anybody connects. State that no gateway would take is a defect. */
  readonly attach: Effect.Effect<void, never, WorldServices>
  /**
   * The gateway's own capabilities with what they send out noted, and with `proxy.cancel_write` and `proxy.list_writes` carried out over
   * the outbox. What takes the place of one of them tells `ran` itself.
   */
  readonly registrations: (own: ReadonlyArray<Registration>) => ReadonlyArray<Registration>
  /** Takes notice of what a scripted capability has come to, before anything goes wrong with its answer. */
  readonly ran: Outbox.Outbox["ran"]
  /** The capabilities that it carries out, unless they are scripted. */
  readonly kept: ReadonlySet<string>
  /** How buffered writes are undone, in addition to what undoes the same capabilities otherwise. */
  readonly undos: (own: ReadonlyMap<string, Undo>) => ReadonlyMap<string, Undo>
  /** What the gateway tells its sessions, with what the test lets it tell. */
  readonly methods: (own: MethodsService) => MethodsService
}

const unavailable = (cause: SqlError) => Effect.fail(storeUnavailable(cause))

const emitted = (
  notifications: Notifications.Notifications,
  agent: string,
  happening: Happening
): Effect.Effect<void, EmitFailure | SqlError, WorldServices> => {
  switch (happening._tag) {
    case "Message": {
      const { channel, from, message, priority } = happening
      return Effect.flatMap(Inbox, (inbox) => inbox.deliver({ agent, from, message, channel, priority })).pipe(
        Effect.catchTag(
          "InboxFull",
          ({ limit, message }) => new ResourceExhausted({ message, resource: "inbox", limit })
        ),
        Effect.asVoid
      )
    }
    case "SharedStateSet":
      return State.setShared(happening.key, happening.value, happening.by ?? State.somebody)
    case "SharedStateDeleted":
      return State.removeShared(happening.key)
    case "Notification":
      return Effect.flatMap(Sessions, ({ running }) =>
        Effect.sync(() =>
          notifications.tell(
            [...running.values()].flatMap((session) => session.agent.name === agent ? [session.id] : []),
            { method: happening.method, params: happening.params }
          )
        ))
  }
}

/** Makes what is behind a gateway that may be stopped and started again. */
export const make = ({ agent, catalogue = {}, current, state = {} }: WorldOptions): WorldBehind => {
  const outbox = Outbox.make()
  const notifications = Notifications.make()
  let isFilled = false

  const inCore = <A, E>(effect: Effect.Effect<A, E, WorldServices>) =>
    Effect.flatMap(current, (core) =>
      Effect.provide(effect, core).pipe(
        // What a script lets happen within a transaction is not done by that.
        Effect.locally(StateOverlay.current, undefined)
      ))

  const proxied = new Map(
    proxyRegistrations(outbox).map((registration) => [registration.capability.name, registration])
  )

  return {
    world: {
      state: Effect.catchTag(inCore(State.read(agent)), "SqlError", unavailable),
      outbox: Effect.map(
        outbox.entries,
        (entries) =>
          entries.map(({ arguments: given, capability, status }) => ({ capability, arguments: given, status }))
      ),
      emit: (happening) => Effect.catchTag(inCore(emitted(notifications, agent, happening)), "SqlError", unavailable)
    },
    attach: Effect.suspend(() => {
      if (isFilled) return Effect.void
      isFilled = true
      return Effect.orDie(State.fill(agent, state))
    }),
    registrations: (own) =>
      own.map((registration) => recording(outbox, proxied.get(registration.capability.name) ?? registration)),
    ran: outbox.ran,
    kept: new Set(proxied.keys()),
    undos: bufferedUndos({ ...builtIn, ...catalogue }, outbox),
    methods: notifications.among
  }
}
