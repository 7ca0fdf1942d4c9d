import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"

/** What holds back, until a transaction is committed, what one of its steps does; `token` names the step. */
export interface Holder {
  token: string | undefined
}

const holding: FiberRef.FiberRef<Holder | undefined> = FiberRef.unsafeMake<Holder | undefined>(undefined)

/** Holds back what an effect does, under the token that is in the holder then. */
export const hold = <A, E, R>(holder: Holder, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locally(effect, holding, holder)

/** The holder of the fiber, if it has one. */
export const holder: Effect.Effect<Holder | undefined> = FiberRef.get(holding)

/** The token under which the fiber holds back what it does, if it does. */
export const token: Effect.Effect<string | undefined> = Effect.map(holder, (held) => held?.token)
