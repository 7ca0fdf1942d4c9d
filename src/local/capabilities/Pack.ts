import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { AnyCatalogue } from "../../catalogue/Catalogue.js"
import type { Prose, Proses } from "../../catalogue/Prose.js"
import { type Handlers, registerAll, type Registration } from "./Handler.js"

/** Two packs, or a pack and the gateway itself, have a capability of the same name. */
export class PackConflict extends Data.TaggedError("PackConflict")<{ readonly capability: string }> {
  override get message() {
    return `There is a capability ${this.capability} already: choose another name for that of the pack`
  }
}

/** A name that no capability can have. */
export class InvalidCapabilityName extends Data.TaggedError("InvalidCapabilityName")<{ readonly capability: string }> {
  override get message() {
    return `${
      JSON.stringify(this.capability)
    } is no name for a capability: a category and a name, such as weather.forecast, of `
      + `letters, digits and single underscores`
  }
}

// What has one name as an MCP tool, and from that its own again.
const isName = (name: string) => /^[A-Za-z0-9]+(_[A-Za-z0-9]+)*(\.[A-Za-z0-9]+(_[A-Za-z0-9]+)*)+$/.test(name)

/** Capabilities that the gateway does not have by itself, with what carries them out. Made by `pack`. */
export interface Pack {
  readonly catalogue: AnyCatalogue
  readonly prose: { readonly [name: string]: Prose<AnyCapability> }
  readonly registrations: ReadonlyArray<Registration>
}

const withoutWords = (capability: AnyCapability): Prose<AnyCapability> => ({
  purpose: capability.name,
  whenToUse: "",
  inputs: {},
  outputs: {},
  errors: {},
  sideEffects: [],
  commonPatterns: []
})

/**
 * Makes a pack: its capabilities are declared as the catalogue's are, each has a handler, and its words are what agents and
 * models read about it. They are served under the same policy as the gateway's own.
 */
export const pack = <C extends AnyCatalogue>(
  catalogue: C,
  handlers: Handlers<C>,
  prose: Partial<Proses<C>> = {}
): Pack => ({
  catalogue,
  prose: {
    ...Object.fromEntries(Object.values(catalogue).map((capability) => [capability.name, withoutWords(capability)])),
    ...prose
  },
  registrations: registerAll(catalogue, handlers)
})

/** What a gateway serves, without what carries it out. */
export type Offer = Pick<Pack, "catalogue" | "prose">

/**
 * Joins packs to what the gateway has by itself. Fails with PackConflict where a name is there twice, and with
 * InvalidCapabilityName where it is none.
 */
export const join = (
  own: Offer,
  packs: ReadonlyArray<Pack>
): Effect.Effect<Offer, PackConflict | InvalidCapabilityName> =>
  Effect.reduce(
    packs,
    own,
    (joined, { catalogue, prose }): Effect.Effect<Offer, PackConflict | InvalidCapabilityName> => {
      const unnamed = Object.keys(catalogue).find((name) => !isName(name))
      if (unnamed !== undefined) return new InvalidCapabilityName({ capability: unnamed })
      const twice = Object.keys(catalogue).find((name) => Object.hasOwn(joined.catalogue, name))
      return twice === undefined
        ? Effect.succeed({ catalogue: { ...joined.catalogue, ...catalogue }, prose: { ...joined.prose, ...prose } })
        : new PackConflict({ capability: twice })
    }
  )
