import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Capabilities, Capability, Catalogue } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { diagnosticsOf } from "../support/compile.js"
import { folders, kruxos } from "./kruxos.js"

const forecast = Capability.make("weather.forecast", {
  version: "2.1",
  tier: "autonomous",
  tags: ["weather", "safe"],
  inputs: { city: Schema.String, days: Capability.optional(Schema.Int, 3) },
  outputs: { summary: Schema.String, degrees: Schema.Number },
  errors: {}
})

const pack = LocalGateway.pack(Catalogue.make(forecast), {
  "weather.forecast": ({ city, days }) => Effect.succeed({ summary: `${days} days of sun in ${city}`, degrees: 21.5 })
}, {
  "weather.forecast": {
    purpose: "Tells the weather to come. */ export const injected = 1 /*",
    whenToUse: "Before a trip.",
    inputs: { city: "The city.", days: "How many days." },
    outputs: { summary: "In words.", degrees: "In degrees Celsius." },
    errors: {},
    sideEffects: [],
    commonPatterns: []
  }
})

const changed = Capability.make("weather.forecast", {
  version: "3.0",
  tier: "autonomous",
  tags: ["weather", "safe"],
  inputs: { place: Schema.String },
  outputs: { summary: Schema.String },
  errors: {}
})

const changedPack = LocalGateway.pack(Catalogue.make(changed), {
  "weather.forecast": ({ place }) => Effect.succeed({ summary: place })
})

/** Serves a pack, and runs what is given with the environment of a command that uses the gateway. */
const serving = <A>(
  served: typeof pack,
  workspace: string,
  use: (env: { readonly KRUXOS_HOST: string; readonly KRUXOS_API_KEY: string }) => Effect.Effect<A>
) =>
  Effect.scoped(Effect.gen(function*() {
    const gateway = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0, packs: [served] })
    return yield* use({ KRUXOS_HOST: gateway.url, KRUXOS_API_KEY: Redacted.value(gateway.apiKey) })
  }))

describe("kruxos codegen", () => {
  it.scopedLive(
    "writes a module that compiles, and finds it current until the pack changes",
    () =>
      Effect.gen(function*() {
        const { workspace } = yield* folders
        const file = join(workspace, "gateway.ts")
        const [made, current] = yield* serving(
          pack,
          workspace,
          (env) =>
            Effect.all([kruxos(["codegen", "--out", file], { env }), kruxos(["codegen", "--check", file], { env })])
        )
        assert.strictEqual(made.code, 0, made.stderr)
        const text = fs.readFileSync(file, "utf8")
        assert.notMatch(text, /filesystem/)
        assert.notMatch(text, /^ *export const injected/m)
        assert.deepStrictEqual([current.code, current.stdout], [0, ""])
        assert.include(current.stderr, "is what the gateway has")

        const uses = (city: string, output: string) => `
        import * as Effect from "effect/Effect"
        import { Capabilities } from "kruxos"
        import { gatewayCatalogue } from "./gateway.js"
        export const program = Effect.gen(function*() {
          const capabilities = yield* Capabilities.withCatalogue(gatewayCatalogue)
          const { summary } = yield* capabilities.invoke("weather.forecast", { city: ${city} })
          const ${output}: string | null | undefined = summary
          yield* capabilities.invoke("filesystem.read", { path: "x" })
        })`
        assert.deepStrictEqual(
          diagnosticsOf({ "gateway.ts": text, "uses.ts": uses("\"Oslo\"", "text") }).map(([name]) => name),
          []
        )
        assert.deepStrictEqual(
          diagnosticsOf({ "gateway.ts": text, "uses.ts": uses("7", "text") }).map(([name]) => name),
          ["uses.ts"]
        )

        const drifted = yield* serving(
          changedPack,
          workspace,
          (env) => kruxos(["codegen", "--check", file], { env })
        )
        assert.strictEqual(drifted.code, 1)
        assert.match(drifted.stdout, /^-.*city: Schema\.String/m)
        assert.match(drifted.stdout, /^\+.*place: Schema\.String/m)
        assert.include(drifted.stderr, "has changed")
      }),
    60_000
  )

  it.live("takes one of its options", () =>
    Effect.gen(function*() {
      for (const args of [["codegen"], ["codegen", "--out", "a.ts", "--check", "b.ts"]]) {
        const { code, stderr } = yield* kruxos(args)
        assert.strictEqual(code, 2)
        assert.include(stderr, "--out FILE or --check FILE")
      }
    }), 20_000)
})

describe("a pack", () => {
  it.scopedLive("is served under the policy, typed, and by name", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const gateway = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0, packs: [pack] })
      yield* Effect.gen(function*() {
        const capabilities = yield* Capabilities.withCatalogue(Catalogue.make(forecast))
        const { degrees, summary } = yield* capabilities.invoke("weather.forecast", { city: "Oslo" })
        assert.deepStrictEqual([degrees, summary], [21.5, "3 days of sun in Oslo"])
        const wrong = yield* Effect.flip(capabilities.invokeDynamic("weather.forecast", { city: "Oslo", days: 1.5 }))
        assert.strictEqual(wrong._tag, "InvalidInput")
        const listed = yield* capabilities.list({ category: "weather" })
        assert.deepStrictEqual(listed.map(({ permissionTier, version }) => [permissionTier, version]), [
          ["autonomous", "2.1"]
        ])
      }).pipe(Effect.provide(NodeGateway.layer({ host: gateway.url, apiKey: gateway.apiKey })))
    }))

  it.scopedLive("cannot take a name that is there", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const error = yield* Effect.flip(
        LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0, packs: [pack, changedPack] })
      )
      assert.strictEqual(error._tag, "PackConflict")
    }))
})
