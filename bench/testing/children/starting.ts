import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LocalGateway } from "kruxos/local"
import { MockGateway } from "kruxos/testing"

const layers = {
  local: () => LocalGateway.layerTest(),
  mock: () => MockGateway.layer()
}

const isKind = (name: string): name is keyof typeof layers => Object.hasOwn(layers, name)

const kind = process.argv[2] ?? ""

const count = Number(process.argv[3])

const once = Effect.suspend(() => {
  const began = performance.now()
  let built = began
  return Effect.scoped(
    Layer.build(isKind(kind) ? layers[kind]() : Layer.die(`There is no ${kind}`)).pipe(
      Effect.zipRight(Effect.sync(() => {
        built = performance.now()
      }))
    )
  ).pipe(
    Effect.map(() => ({ start: built - began, stop: performance.now() - built }))
  )
})

process.stdout.write(JSON.stringify(await Effect.runPromise(Effect.replicateEffect(once, count))))
