import type { BuiltIn } from "../builtIn.js"
import type { ProsesOf } from "../Prose.js"
import { reading } from "./filesystemReading.js"
import { writing } from "./filesystemWriting.js"

/** The words of `filesystem.*`. */
export const filesystem: ProsesOf<BuiltIn, "filesystem"> = { ...reading, ...writing }
