import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BuiltIn } from "../../../src/catalogue/builtIn.js"
import type { NameIn } from "../../../src/catalogue/Catalogue.js"
import { canMount } from "../../support/smallDisk.js"
import type { World } from "./World.js"

/** What is invoked, and what has to come of it. */
export interface Row extends Needing {
  (world: World): Effect.Effect<unknown, unknown, Scope.Scope>
}

interface Needing {
  /** What this machine lacks for the row, which is then left out. */
  readonly missing?: string | undefined
}

/** A failure that an invocation has ended with, and which fields it has to have. */
export interface Failed {
  readonly error: unknown
  readonly fields: { readonly [name: string]: unknown }
}

/** Makes an invocation fail in the way that the row is for; whatever fails before that, fails the row. */
export interface FailureRow extends Needing {
  (world: World): Effect.Effect<Failed, unknown, Scope.Scope>
}

/** The rows of a capability: that it succeeds, each error that its catalogue entry lists, and its limits by what they say. */
export interface Rows<Errors extends string = string> {
  readonly success: Row
  readonly errors: { readonly [Type in Errors]?: FailureRow }
  readonly limits?: { readonly [limit: string]: Row }
}

/** The rows of the capabilities whose names begin with a word. */
export type Table<Category extends string> = {
  readonly [Name in Extract<NameIn<BuiltIn>, `${Category}.${string}`>]?: Rows<keyof BuiltIn[Name]["errors"] & string>
}

/** The failure that an invocation has to end with. */
export const failing = <A, E, R>(
  invocation: Effect.Effect<A, E, R>,
  fields: Failed["fields"] = {}
): Effect.Effect<Failed, A, R> => Effect.map(Effect.flip(invocation), (error) => ({ error, fields }))

/** A row that cannot be run on every machine. */
export const needing = <A>(
  { isThere, what }: { readonly isThere: boolean; readonly what: string },
  row: (world: World) => Effect.Effect<A, unknown, Scope.Scope>
) => Object.assign((world: World) => row(world), { missing: isThere ? undefined : what })

/** What rows about disks need. */
export const mounting = { isThere: canMount, what: "the right to mount a file system" }
