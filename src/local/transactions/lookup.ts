import type { SqlError } from "@effect/sql/SqlError"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { InvalidInput, ServiceUnavailable, TransactionClosed } from "../../errors/general.js"
import { storeUnavailable } from "../store/agentFailure.js"
import type { GatewayInstance } from "../store/GatewayInstance.js"
import type { TransactionsService as Records } from "../store/Transactions.js"
import * as Failures from "./failures.js"
import type { Open } from "./Open.js"
import * as Result from "./result.js"
import type { CommitResult } from "./Transactions.js"
import type { CutOff } from "./undoSteps.js"

/** Where transactions are looked for. */
export interface Places {
  /** Those that are open at this gateway. */
  readonly all: ReadonlyMap<string, Open>
  readonly records: Records
  readonly gateway: Context.Tag.Service<GatewayInstance>
  /** Rolls back those of gateways that no longer run. */
  readonly recover: Effect.Effect<void, SqlError | CutOff>
}

/** Makes what finds an agent's transactions. */
export const make = ({ all, gateway, records, recover }: Places) => {
  const recordOf = (agent: string, transactionId: string) =>
    Effect.mapError(records.find(agent, transactionId), storeUnavailable)

  /** One that is open at this gateway. */
  const ownOf = (agent: string, transactionId: string): Open | undefined => {
    const open = all.get(transactionId)
    return open?.session.agent.name === agent ? open : undefined
  }

  /** The same. TransactionClosed where it is over, InvalidInput where there is none. */
  const openOf = (
    agent: string,
    transactionId: string,
    field?: string
  ): Effect.Effect<Open, TransactionClosed | InvalidInput | ServiceUnavailable> =>
    Effect.suspend(() => {
      const open = ownOf(agent, transactionId)
      return open === undefined
        ? Effect.flatMap(
          recordOf(agent, transactionId),
          Option.match({
            onNone: (): Effect.Effect<Open, TransactionClosed | InvalidInput> =>
              Effect.fail(Failures.noSuch(transactionId, field)),
            onSome: () => Effect.fail(Failures.closed(transactionId))
          })
        )
        : Effect.succeed(open)
    })

  /** Whether one takes steps of a session. */
  const checkOpen = (
    { id, phase, session }: Open,
    sessionId: string | undefined
  ): Effect.Effect<void, TransactionClosed> => {
    if (sessionId !== undefined && session.id !== sessionId) return Effect.fail(Failures.otherSession(id))
    return phase === "open" ? Effect.void : Effect.fail(Failures.closed(id))
  }

  /** What has become of one that is not open here: it is in the store, or is found out now. */
  const resultOf = (
    agent: string,
    transactionId: string,
    isSecondLook = false
  ): Effect.Effect<CommitResult, InvalidInput | ServiceUnavailable> =>
    Effect.gen(function*() {
      const found = yield* recordOf(agent, transactionId)
      if (Option.isNone(found)) return yield* Failures.noSuch(transactionId)
      const { owner, status } = found.value
      if (status === "committed" || status === "rolled_back") {
        return yield* Effect.mapError(Result.decode(found.value), storeUnavailable)
      }
      if (gateway.isAlive(owner) && owner !== gateway.id) return yield* Failures.runsElsewhere(transactionId)
      if (isSecondLook) return yield* Failures.cutOff(transactionId, "it cannot be undone by this gateway")
      yield* Effect.mapError(
        recover,
        (cause) => Failures.cutOff(transactionId, "its gateway has stopped in it", cause)
      )
      return yield* resultOf(agent, transactionId, true)
    })

  return { checkOpen, openOf, ownOf, resultOf }
}
