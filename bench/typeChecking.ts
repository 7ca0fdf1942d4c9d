import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { builtIn } from "../src/catalogue/builtIn.js"
import { type AnyCapability, inputField } from "../src/catalogue/Capability.js"
import { wireTypeOf } from "../src/catalogue/wireType.js"
import { samples } from "../test/catalogue/samples/builtIn.js"
import { median, rounded, type Section } from "./measurement.js"
import { root } from "./root.js"

const runs = 3
const invocations = 50

// What goes over the wire is what a program gives, except for points in time.
const isGivenAsOnTheWire = ({ inputs }: AnyCapability): boolean =>
  Object.values(inputs).every((field) => wireTypeOf(inputField(field).schema) !== "DateTime")

const invoked = Object.values<AnyCapability>(builtIn)
  .filter(isGivenAsOnTheWire)
  .flatMap(({ name }) => {
    const sample = samples[name]
    return sample === undefined ? [] : [{ name, input: sample.input }]
  })
  .slice(0, invocations)

const ofKruxos = `import { Capabilities, Gateway } from "kruxos"
export const layer = Gateway.layer({ apiKey: Redacted.make("key") })
`

const untypedService = `import * as Context from "effect/Context"
class Capabilities extends Context.Tag("Capabilities")<Capabilities, {
  readonly invoke: (name: string, input: unknown) => Effect.Effect<unknown, unknown>
}>() {}
`

const untypedBesideKruxos = `import { Gateway } from "kruxos"
export const layer = Gateway.layer({ apiKey: Redacted.make("key") })
${untypedService}`

const program = (service: string, calls: typeof invoked): string =>
  `import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
${service}
export const key = Redacted.make("key")
${
    calls.map(({ input, name }, index) =>
      `export const call${index} = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  return yield* invoke(${JSON.stringify(name)}, ${JSON.stringify(input)})
})`
    ).join("\n")
  }
export const all = Effect.all([${calls.map((_, index) => `call${index}`).join(", ")}])
`

const programs = [
  ["typed by the catalogue", ofKruxos, invoked],
  ["untyped, with a Layer of kruxos beside it", untypedBesideKruxos, invoked],
  ["untyped, without kruxos", untypedService, invoked],
  ["typed by the catalogue, one invocation only", ofKruxos, invoked.slice(0, 1)]
] as const

/** How long TypeScript takes for typed invocations, against the same ones at a service without types. */
export const typeChecking = (): Section => {
  // Below the build, so that `kruxos` is what a user has: the declarations of the package.
  mkdirSync(join(root, "dist"), { recursive: true })
  const folder = mkdtempSync(join(root, "dist/bench-"))
  try {
    const configs = programs.map(([, service, calls], index) => {
      const config = join(folder, `tsconfig.${index}.json`)
      writeFileSync(join(folder, `program${index}.ts`), program(service, calls))
      writeFileSync(
        config,
        JSON.stringify({
          extends: join(root, "tsconfig.json"),
          compilerOptions: { incremental: false, tsBuildInfoFile: null, noUnusedLocals: false, paths: {} },
          include: [`program${index}.ts`]
        })
      )
      return config
    })
    const seconds = (config: string): number => {
      const start = performance.now()
      execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", config], {
        stdio: ["ignore", "inherit", "inherit"]
      })
      return (performance.now() - start) / 1000
    }
    const times = Array.from({ length: runs }, () => configs.map(seconds))
    const medians = programs.map((_, index) => median(times.map((run) => run[index] ?? Number.NaN)))
    const [typed = Number.NaN] = medians
    return {
      title: `Checking the types of ${invoked.length} invocations`,
      columns: ["program", "tsc --noEmit, s", "typed / this"],
      rows: programs.map(([title], index) => {
        const own = medians[index] ?? Number.NaN
        return [title, rounded(own, 2), rounded(typed / own, 2)]
      }),
      notes: [
        `${invoked.length} different capabilities, one invocation of each; the same tsconfig; median of ${runs} runs each, by turns`
      ]
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
