import * as Context from "effect/Context"
import type { Undo } from "./Undo.js"

/** How those capabilities are undone that can be, by their names. */
export class Undos extends Context.Tag("kruxos/local/transactions/Undos")<Undos, ReadonlyMap<string, Undo>>() {}
