import { builtIn } from "../../src/catalogue/builtIn.js"
import type { AnyCapability } from "../../src/catalogue/Capability.js"
import type { AnyCatalogue } from "../../src/catalogue/Catalogue.js"
import type { Prose } from "../../src/catalogue/Prose.js"
import { builtInProse } from "../../src/catalogue/prose/builtIn.js"

const capabilities: AnyCatalogue = builtIn

const proses: { readonly [name: string]: Prose<AnyCapability> } = builtInProse

/** A capability and its words, by name. */
export const entry = (name: string): { readonly capability: AnyCapability; readonly prose: Prose<AnyCapability> } => {
  const capability = capabilities[name]
  const prose = proses[name]
  if (capability === undefined || prose === undefined) throw new Error(`${name} is not in the catalogue`)
  return { capability, prose }
}

/** Every capability of the catalogue with its words: rows for `it.each`. */
export const entries = Object.keys(builtIn).map((name) => ({ name, ...entry(name) }))
