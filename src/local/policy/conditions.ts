import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import { Buffer } from "node:buffer"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import { type AnyCapability, inputField } from "../../catalogue/Capability.js"
import type { NameIn } from "../../catalogue/Catalogue.js"
import { wireTypeOf } from "../../catalogue/wireType.js"
import { fromSegments, resolve } from "../workspace/pathForm.js"
import type { Condition, Place } from "./Layer.js"

/** Whether something is so; `maybe` where it cannot be told from the input. */
export type Answer = "yes" | "no" | "maybe"

/** An input as it comes from the wire. */
export interface WireInput {
  readonly [name: string]: unknown
}

/** The inputs that count as content. */
export const contentInputs = ["content", "body", "text", "message", "value"]

// These do nothing below a directory that they are given: a rule for something further down is not about them.
const staysThere: ReadonlySet<string> = new Set<NameIn<BuiltIn>>([
  "filesystem.append",
  "filesystem.delete",
  "filesystem.list",
  "filesystem.read",
  "filesystem.stat",
  "filesystem.write",
  "network.download"
])

interface Shape {
  readonly content: ReadonlyArray<string>
  readonly paths: ReadonlyArray<string>
  /** Whether there are paths deeper in an input, where they are not looked for. */
  readonly hasOtherPaths: boolean
}

const mentionsPath = (ast: AST.AST): boolean => {
  if (wireTypeOf(Schema.make(ast)) === "FilesystemPath") return true
  switch (ast._tag) {
    case "TupleType":
      return [...ast.elements, ...ast.rest].some(({ type }) => mentionsPath(type))
    case "TypeLiteral":
      return [...ast.propertySignatures, ...ast.indexSignatures].some(({ type }) => mentionsPath(type))
    case "Union":
      return ast.types.some(mentionsPath)
    case "Refinement":
    case "Transformation":
      return mentionsPath(ast.from)
    case "Suspend":
      return true
    default:
      return false
  }
}

const shapes = new WeakMap<AnyCapability, Shape>()

const shapeOf = (capability: AnyCapability): Shape => {
  const known = shapes.get(capability)
  if (known !== undefined) return known
  const fields = Object.entries(capability.inputs).map(([name, field]) => ({ name, schema: inputField(field).schema }))
  const isPath = ({ schema }: typeof fields[number]) => wireTypeOf(schema) === "FilesystemPath"
  const shape = {
    content: fields.map(({ name }) => name).filter((name) => contentInputs.includes(name)),
    paths: fields.filter(isPath).map(({ name }) => name),
    hasOtherPaths: fields.some((field) => !isPath(field) && mentionsPath(field.schema.ast))
  }
  shapes.set(capability, shape)
  return shape
}

const bytesOf = (value: unknown): number =>
  Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value) ?? "")

// In another encoding the bytes that are written are not those of the text.
const isPlain = (encoding: unknown): boolean =>
  encoding === undefined || (typeof encoding === "string" && /^utf-?8$/i.test(encoding))

const sizeOf = ({ content }: Shape, input: WireInput): number | undefined => {
  const given = content.map((name) => input[name]).filter((value) => value !== undefined)
  return given.length > 0 && isPlain(input["encoding"])
    ? given.reduce<number>((sum, value) => sum + bytesOf(value), 0)
    : undefined
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

// Some file systems take names for the same that differ in case or in the form of their characters.
const foldedName = (name: string): string =>
  isAscii(name) ? name.toLowerCase() : name.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC")

/** Where a path leads, if agents can use it. Links are not followed. */
export const placeOf = (path: unknown): Place | undefined => {
  const found = typeof path === "string" ? Either.getOrUndefined(resolve(path)) : undefined
  return found === undefined ? undefined : { names: found.segments, folded: found.segments.map(foldedName) }
}

/** What conditions look at, of one invocation; each is found out at most once. */
export interface Facts {
  /** The size of the content in bytes, where it can be told. */
  readonly size: () => number | undefined
  /** Where the paths lead; undefined for what cannot be told. */
  readonly places: () => ReadonlyArray<Place | undefined>
  /** Whether there may be more to it than the places themselves: what lies below them. */
  readonly reachesBelow: boolean
}

const once = <A>(find: () => A): () => A => {
  let found: { readonly value: A } | undefined
  return () => (found ??= { value: find() }).value
}

/** The facts of an invocation. */
export const factsOf = (capability: AnyCapability, input: WireInput): Facts => {
  const shape = shapeOf(capability)
  return {
    size: once(() => sizeOf(shape, input)),
    places: once(() => shape.hasOtherPaths ? [undefined] : shape.paths.map((name) => placeOf(input[name]))),
    reachesBelow: !staysThere.has(capability.name)
  }
}

const answerIf = (holds: boolean): Answer => holds ? "yes" : "no"

const startsWith = (names: ReadonlyArray<string>, prefix: ReadonlyArray<string>): boolean =>
  prefix.every((name, index) => names[index] === name)

const isUnder = (place: Place | undefined, prefix: Place, reachesBelow: boolean): Answer => {
  if (place === undefined) return "maybe"
  if (startsWith(place.names, prefix.names)) return "yes"
  if (startsWith(place.folded, prefix.folded)) return "maybe"
  return reachesBelow && startsWith(prefix.folded, place.folded) ? "maybe" : "no"
}

// Of several paths some may be under the prefix: then nothing can be said of the invocation as a whole.
const allUnder = ({ places, reachesBelow }: Facts, prefix: Place): Answer => {
  let agreed: Answer | undefined
  for (const place of places()) {
    const answer = isUnder(place, prefix, reachesBelow)
    if (agreed !== undefined && answer !== agreed) return "maybe"
    agreed = answer
  }
  return agreed ?? "maybe"
}

const isSized = ({ size: find }: Facts, { sizeBelow = Infinity, sizeFrom = 0 }: Condition): Answer => {
  const size = find()
  return size === undefined ? "maybe" : answerIf(size < sizeBelow && size >= sizeFrom)
}

/** Whether an invocation meets a condition. Nothing is looked up: a path is taken as it is written. */
export const meets = (condition: Condition, facts: Facts): Answer => {
  const { pathPrefix, sizeBelow, sizeFrom } = condition
  const size = sizeBelow === undefined && sizeFrom === undefined ? "yes" : isSized(facts, condition)
  if (size === "no" || pathPrefix === undefined) return size
  const path = allUnder(facts, pathPrefix)
  return path === "yes" ? size : path
}

/** A condition in words. */
export const describeCondition = ({ pathPrefix, sizeBelow, sizeFrom }: Condition): string =>
  [
    ...(sizeFrom === undefined ? [] : [`the content has ${sizeFrom} bytes or more`]),
    ...(sizeBelow === undefined ? [] : [`the content has less than ${sizeBelow} bytes`]),
    ...(pathPrefix === undefined ? [] : [`all paths are under ${fromSegments(pathPrefix.names).display}`])
  ].join(" and ")
