import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

/** What has been built so far. */
type Built<A, E, R> = Effect.Effect<Context.Context<A>, E, R>

/** A layer that is made without a memo where it is built in order. */
interface Direct<A, E, R> extends Layer.Layer<A, E, R> {
  readonly made: Effect.Effect<Context.Context<A>, E, R | Scope.Scope>
  readonly leavesNothing: boolean
}

/**
 * As `Layer.effect`. What is built in order is then made at once, without a memo, a scope and a finalizer for it, which take many times as
 * long as most services; so whoever else is given the layer makes one of their own.
 */
export const service = <I, S, E, R>(tag: Context.Tag<I, S>, make: Effect.Effect<S, E, R>): Layer.Layer<I, E, R> => {
  const layer: Direct<I, E, R> = Object.assign(Layer.effect(tag, make), {
    made: Effect.map(make, (one) => Context.make(tag, one)),
    leavesNothing: true
  })
  return layer
}

/** As `Layer.scopedContext`, in the way of `service`, with a scope. */
export const scopedContext = <A, E, R>(
  made: Effect.Effect<Context.Context<A>, E, R>
): Layer.Layer<A, E, Exclude<R, Scope.Scope>> =>
  Object.assign(Layer.scopedContext(made), { made, leavesNothing: false })

/** As `Layer.scoped`, in the way of `service`, with a scope. */
export const scopedService = <I, S, E, R>(
  tag: Context.Tag<I, S>,
  make: Effect.Effect<S, E, R>
): Layer.Layer<I, E, Exclude<R, Scope.Scope>> => scopedContext(Effect.map(make, (one) => Context.make(tag, one)))

/** As `Layer.scopedDiscard`, in the way of `service`, with a scope. */
export const scopedDiscard = <E, R>(
  effect: Effect.Effect<unknown, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope>> => scopedContext(Effect.as(effect, Context.empty()))

const isDirect = <A, E, R>(layer: Layer.Layer<A, E, R>): layer is Direct<A, E, R> => "made" in layer

/** Makes another service of what a layer makes. */
export const mapService = <I, S, E, R>(
  tag: Context.Tag<I, S>,
  layer: Layer.Layer<I, E, R>,
  f: (own: S) => S
): Layer.Layer<I, E, R> => {
  const change = (context: Context.Context<I>) => Context.make(tag, f(Context.get(context, tag)))
  const changed = Layer.map(layer, change)
  return isDirect(layer)
    ? Object.assign(changed, { made: Effect.map(layer.made, change), leavesNothing: layer.leavesNothing })
    : changed
}

/** Builds a layer over what has been built so far, and adds it. */
export type And = <A2, E2, R2>(
  layer: Layer.Layer<A2, E2, R2>
) => <A, E, R>(built: Built<A, E, R>) => Built<A | A2, E | E2, R | Exclude<R2, A> | Scope.Scope>

/**
 * Provides an effect with services, and what it leaves to the scope when that closes. Finalizers get the services back that they were
 * added with, and that takes the longer the more of those there are that the closing fiber has not.
 */
export const within =
  <A>(services: Context.Context<A>) =>
  <B, E, R>(effect: Effect.Effect<B, E, R>): Effect.Effect<B, E, Exclude<Exclude<R, Scope.Scope>, A> | Scope.Scope> =>
    Effect.gen(function*() {
      const own = yield* Scope.make()
      const scope = yield* Effect.scope
      yield* Scope.addFinalizerExit(scope, (exit) => Effect.provide(Scope.close(own, exit), services))
      return yield* Effect.provide(Scope.extend(effect, own), services)
    })

const buildOver = <A, A2, E2, R2>(
  context: Context.Context<A>,
  layer: Layer.Layer<A2, E2, R2>,
  memoMap: Layer.MemoMap
): Effect.Effect<Context.Context<A2>, E2, Exclude<R2, A> | Scope.Scope> =>
  isDirect(layer)
    ? layer.leavesNothing ? Effect.provide(layer.made, context) : within(context)(layer.made)
    : within(context)(Effect.scopeWith((own) => Layer.buildWithMemoMap(layer, memoMap, own)))

/**
 * A layer of layers that are built one after the other and end in reverse order. Layers that are merged are built and ended by fibers of
 * their own, which takes three times as long where there are many small ones.
 */
export const inOrder = <A, E, R>(
  build: (nothing: Built<never, never, never>, and: And) => Built<A, E, R>
): Layer.Layer<A, E, Exclude<R, Scope.Scope>> =>
  Layer.scopedContext(
    Effect.flatMap(Layer.makeMemoMap, (memoMap) =>
      build(Effect.succeed(Context.empty()), (layer) =>
      (built) =>
        Effect.flatMap(built, (context) =>
          Effect.map(buildOver(context, layer, memoMap), (added) =>
            Context.merge(context, added)))))
  )
