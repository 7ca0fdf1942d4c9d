import type { CommonPattern } from "../schema/CapabilityDefinition.js"
import type { AnyCapability } from "./Capability.js"
import type { AnyCatalogue, NameIn } from "./Catalogue.js"

/** One description for each name, no more and no less. `{}` would take any names, so no names are said with `never`. */
type Descriptions<Names> = [keyof Names] extends [never] ? { readonly [name: string]: never }
  : { readonly [Name in keyof Names & string]: string }

/**
 * The words of a capability, for a model that chooses among capabilities. They are kept apart from the capability itself,
 * so that a program that only invokes does not carry them.
 */
export interface Prose<C extends AnyCapability> {
  /** What it does, in one sentence. */
  readonly purpose: string
  /** When it is the right one, and when another is better. */
  readonly whenToUse: string
  readonly inputs: Descriptions<C["inputs"]>
  readonly outputs: Descriptions<C["outputs"]>
  /** When each error happens, by its wire type. */
  readonly errors: Descriptions<C["errors"]>
  /** One for each side effect of the capability, in its order. */
  readonly sideEffects: ReadonlyArray<string>
  readonly commonPatterns: ReadonlyArray<CommonPattern>
}

/** The words of every capability of a catalogue, by name. */
export type Proses<C extends AnyCatalogue> = { readonly [Name in NameIn<C>]: Prose<C[Name]> }

/** The words of those capabilities of a catalogue whose names start with the category. */
export type ProsesOf<C extends AnyCatalogue, Category extends string> = Pick<
  Proses<C>,
  Extract<NameIn<C>, `${Category}.${string}`>
>
