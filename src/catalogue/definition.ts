import type { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import { type AnyCapability, inputField } from "./Capability.js"
import { encodedDefault } from "./jsonSchema.js"
import type { Prose } from "./Prose.js"
import { recoveryDescription } from "./recovery.js"
import { wireTypeOf } from "./wireType.js"

/**
 * What a gateway says of a capability: its catalogue entry and its words in one. The tier is the catalogue's; a gateway
 * that shows an agent's own tier replaces it.
 */
export const definitionOf = (capability: AnyCapability, prose: Prose<AnyCapability>): CapabilityDefinition => ({
  name: capability.name,
  version: capability.version,
  purpose: prose.purpose,
  whenToUse: prose.whenToUse,
  inputs: Object.entries(capability.inputs).map(([name, field]) => {
    const { required, schema } = inputField(field)
    return {
      name,
      type: wireTypeOf(schema),
      required,
      ...encodedDefault(field),
      description: prose.inputs[name] ?? ""
    }
  }),
  outputs: Object.entries(capability.outputs).map(([name, field]) => ({
    name,
    type: wireTypeOf(field),
    description: prose.outputs[name] ?? ""
  })),
  sideEffects: capability.sideEffects.map((reversibility, index) => ({
    description: prose.sideEffects[index] ?? "",
    reversible: reversibility === "reversible"
  })),
  commonPatterns: prose.commonPatterns,
  errors: Object.entries(capability.errors).map(([type, { recovery }]) => ({
    type,
    description: prose.errors[type] ?? "",
    recovery: recovery.map((action) => ({ action, description: recoveryDescription(capability.name, type, action) }))
  })),
  permissionTier: capability.tier,
  tags: capability.tags
})
