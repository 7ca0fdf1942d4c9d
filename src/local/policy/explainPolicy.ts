import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { builtIn } from "../../catalogue/builtIn.js"
import { factsOf, type WireInput } from "./conditions.js"
import { decide, type Decision } from "./decide.js"
import type { InvalidPolicy } from "./InvalidPolicy.js"
import type { LayerName, RateLimit, Verdict } from "./Layer.js"
import { suggestion } from "./nearest.js"
import type { PolicyChoice } from "./PolicyChoice.js"
import { sourceOptions } from "./policyLayer.js"
import * as PolicySource from "./PolicySource.js"
import * as RateCounters from "./RateCounters.js"
import { type Part, verdictOf } from "./verdicts.js"

/** There is no such capability to explain. */
export class UnknownCapability extends Data.TaggedError("UnknownCapability")<{ readonly message: string }> {}

/** What is to be explained. */
export interface ExplainOptions {
  readonly agent: string
  readonly capability: string
  readonly input: WireInput
  /** The gateway's data; it need not be there. */
  readonly dataDirectory: string
  readonly policy: PolicyChoice | undefined
}

/** What a layer says. */
export interface LayerExplanation {
  readonly layer: LayerName
  readonly file: string | undefined
  /** Nothing, where the layer has no opinion. */
  readonly verdict: Verdict | undefined
  readonly rateLimit: RateLimit | undefined
}

/** What becomes of an invocation, if nothing has been counted yet, and what each layer says of it. */
export interface Explanation {
  readonly decision: Decision
  readonly layers: ReadonlyArray<LayerExplanation>
}

/**
 * Explains what the policies of a data directory make of an invocation. Fails with InvalidPolicy where one of them is broken, and
 * with UnknownCapability for a name that the catalogue does not have.
 */
export const explainPolicy = (
  { agent, capability: name, dataDirectory, input, policy }: ExplainOptions
): Effect.Effect<Explanation, InvalidPolicy | UnknownCapability> =>
  Effect.gen(function*() {
    const capabilities = Object.values(builtIn)
    const capability = capabilities.find((one) => one.name === name)
    if (capability === undefined) {
      return yield* new UnknownCapability({
        message: `There is no capability ${name}${suggestion(name, Object.keys(builtIn))}`
      })
    }
    const source = yield* sourceOptions({ choice: policy, dataDirectory: resolve(dataDirectory), capabilities })
    const policies = yield* PolicySource.load(source)
    const facts = factsOf(capability, input)
    const explained = (part: Part): LayerExplanation => ({
      layer: part.layer.layer,
      file: part.layer.file,
      verdict: verdictOf(part, facts),
      rateLimit: part.entry?.rateLimit
    })
    return {
      decision: decide(
        policies,
        { agent, capability, input, now: yield* Clock.currentTimeMillis },
        RateCounters.make()
      ),
      layers: policies.of(agent, capability).parts.map(explained)
    }
  })
