import type { AnyCapability } from "../../catalogue/Capability.js"
import { CapabilityError } from "../../errors/general.js"
import { example } from "./example.js"
import { show, showPlainly } from "./show.js"

/** Nothing answers an invocation: says how to script it, with its arguments. */
export const unscripted = (
  capability: AnyCapability,
  input: unknown,
  nearest: string | undefined
): CapabilityError => {
  const { name } = capability
  const answer = showPlainly(example(capability))
  return new CapabilityError({
    type: "mock.unscripted",
    capability: name,
    message: [
      `Nothing in the script answers ${name}(${show(input)}).`,
      ...(nearest === undefined ? [] : [nearest]),
      "Say what it answers, whatever its arguments are:",
      `  MockGateway.layer({ capabilities: { ${JSON.stringify(name)}: ${answer} } })`,
      "or expect this one:",
      `  yield* mock.expect(${JSON.stringify(name)}, ${show(input)}, ${answer})`
    ].join("\n"),
    retryable: false
  })
}

/** The script gave an answer that the capability cannot have. */
export const impossible = ({ name }: AnyCapability, reason: string): CapabilityError =>
  new CapabilityError({
    type: "mock.impossible_answer",
    capability: name,
    message: `The script gives ${name} an answer that it cannot have, which no gateway would send:\n${reason}`,
    retryable: false
  })
