import * as Effect from "effect/Effect"
import { builtIn } from "../../catalogue/builtIn.js"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { AnyCatalogue } from "../../catalogue/Catalogue.js"
import type { Registration } from "../../local/capabilities/Handler.js"
import * as Pack from "../../local/capabilities/Pack.js"
import type { CoreService } from "../../local/Core.js"
import type { MethodsService } from "../../local/protocol/methods.js"
import type { EffectCheck } from "../../local/recovery/EffectCheck.js"
import type { Undo } from "../../local/transactions/Undo.js"
import { isBuffered } from "../world/isOutgoing.js"
import * as Answering from "./answering.js"
import * as Arrivals from "./Arrivals.js"
import * as Book from "./Book.js"
import type { FaultControl } from "./FaultControl.js"
import * as Performing from "./performing.js"
import * as Requests from "./requests.js"
import type { ScriptControl } from "./ScriptControl.js"
import { type Mismatch, ScriptMismatch } from "./ScriptMismatch.js"
import * as Undoing from "./undoing.js"

/** What a script is made of. */
export interface ScriptOptions {
  /** What capabilities do, by their names: see Scripts. */
  readonly capabilities?: object | undefined
  /** Capabilities besides the gateway's own. */
  readonly catalogue?: AnyCatalogue | undefined
  /** Given where `filesystem.*` is carried out by the gateway itself, on these. */
  readonly files?: object | undefined
}

/** What is behind the gateway that a script is for. */
export interface Surroundings {
  /** Capabilities, besides those of the gateway, that its registrations carry out where nothing is scripted. */
  readonly kept?: ReadonlySet<string> | undefined
  /** Is told what scripted capabilities have come to, before anything goes wrong with their answers. */
  readonly ran?: Performing.OnRan | undefined
}

/** What a script puts in place of parts of a gateway: of the first one and of those after its restarts. */
export interface ScriptedParts {
  readonly packs: ReadonlyArray<Pack.Pack>
  readonly registrations: (own: ReadonlyArray<Registration>) => ReadonlyArray<Registration>
  readonly undos: (own: ReadonlyMap<string, Undo>) => ReadonlyMap<string, Undo>
  readonly effectChecks: (own: ReadonlyMap<string, EffectCheck>) => ReadonlyMap<string, EffectCheck>
  readonly core: (own: CoreService) => CoreService
  readonly methods: (own: MethodsService) => MethodsService
}

/** A script that a gateway goes by. */
export interface RunningScript {
  /** The parts of a gateway that goes by the script, with those of its faults that only the wire can bring about. */
  readonly parts: (faults: FaultControl) => ScriptedParts
  readonly invocations: ScriptControl["invocations"]
  /** What a test asks of it. `unused` is what else was to be used: the decisions of humans. */
  readonly control: (unused: Effect.Effect<ReadonlyArray<Mismatch>>) => ScriptControl
}

const own = ["agent", "alerts", "comms", "state"]

const isReversible = ({ sideEffects }: AnyCapability) =>
  sideEffects.length > 0 && sideEffects.every((effect) => effect === "reversible")

// What is buffered is cancelled.
const isUndone = (capability: AnyCapability) => isReversible(capability) || isBuffered(capability)

/** Makes a script. It dies with a message where a capability is scripted that does not exist. */
export const make = (
  { capabilities = {}, catalogue = {}, files }: ScriptOptions,
  { kept: alsoKept = new Set(), ran = () => Effect.void }: Surroundings = {}
): Effect.Effect<RunningScript> =>
  Effect.suspend(() => {
    const known: ReadonlyMap<string, AnyCapability> = new Map(Object.entries({ ...builtIn, ...catalogue }))
    const scripts = new Map<string, unknown>(Object.entries(capabilities).filter(([, script]) => script !== undefined))
    const unknown = [...scripts.keys()].find((name) => !known.has(name))
    if (unknown !== undefined) return Effect.dieMessage(`There is no capability ${unknown} that could be scripted`)

    const kept = new Set(files === undefined ? own : [...own, "filesystem"])
    const hasOwn = (name: string) => alsoKept.has(name) || kept.has(name.slice(0, name.indexOf(".")))
    const keepsOwn = (name: string) => !scripts.has(name) && hasOwn(name)
    const mismatches: Array<Mismatch> = []
    const told: Array<Book.Expectation> = []
    const requests = Requests.make()
    const book = Book.make((name) => known.get(name), scripts)
    const arrivals = Arrivals.make(book.came)

    const parts = (faults: FaultControl): ScriptedParts => {
      const answering = Answering.make({
        book,
        arrivals,
        perform: Performing.make(faults, ran),
        keepsOwn,
        hasOwn,
        note: (mismatch, nearest) => {
          mismatches.push(mismatch)
          if (nearest !== undefined) told.push(nearest)
        }
      })
      const undoing = Undoing.make(arrivals, answering)
      return {
        packs: Object.keys(catalogue).length === 0 ? [] : [Pack.pack<AnyCatalogue>(catalogue, {})],
        registrations: (registrations) =>
          registrations.map((registration) =>
            answering.registrationOf(
              registration.capability,
              hasOwn(registration.capability.name) ? registration : undefined
            )
          ),
        undos: (undos) =>
          new Map([
            ...undos,
            ...[...known.values()].flatMap((capability): ReadonlyArray<readonly [string, Undo]> => {
              const { name } = capability
              const own = hasOwn(name) ? undos.get(name) : undefined
              return undos.has(name) || (isUndone(capability) && !keepsOwn(name))
                ? [[name, undoing.undoOf(capability, own)]]
                : []
            })
          ]),
        effectChecks: (checks) =>
          new Map([...checks].map(([name, check]): readonly [string, EffectCheck] => {
            const capability = known.get(name)
            return [name, capability === undefined ? check : undoing.checkOf(capability, check)]
          })),
        core: arrivals.core,
        methods: requests.methods(faults)
      }
    }

    const expectDynamic = (name: string, input: unknown, reply: unknown): Effect.Effect<void> =>
      Effect.suspend(() => {
        const capability = known.get(name)
        if (capability === undefined) {
          return Effect.dieMessage(`There is no capability ${name} to be expected`)
        }
        return Effect.sync(() => book.expect(capability, input, reply))
      })

    return Effect.succeed({
      parts,
      invocations: arrivals.invocations,
      control: (unused) => ({
        invocations: arrivals.invocations,
        expect: expectDynamic,
        expectDynamic,
        expectRequest: (request, reply) => Effect.sync(() => requests.expect(request, reply)),
        verify: Effect.flatMap(unused, (others) => {
          const all = [...mismatches, ...book.unused(told), ...requests.unused(), ...others]
          return all.length === 0 ? Effect.void : Effect.fail(ScriptMismatch.of(all))
        })
      })
    })
  })
