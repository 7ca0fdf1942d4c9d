import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { type Domain, domainOf, isExact } from "./domain.js"

/** What a quick reader answers for a value that it does not read: one that does not fit, or that only Schema can tell. */
export const unfit = Symbol("unfit")

/** Gives the decoded value, or `unfit`. */
export type Reader = (value: unknown) => unknown

const preserve: AST.ParseOptions = { onExcessProperty: "preserve" }

const when = (holds: (value: unknown) => boolean): Reader => (value) => holds(value) ? value : unfit

// What Schema gives for a part, which may have taken an Effect.
const valueOf = (parsed: unknown): unknown => Either.isEither(parsed) && Either.isRight(parsed) ? parsed.right : unfit

const bySchema = (ast: AST.AST): Reader => {
  let decode: ((value: unknown) => unknown) | undefined
  return (value) => {
    decode ??= ParseResult.decodeUnknownEither(Schema.make(ast), preserve)
    return valueOf(decode(value))
  }
}

const inTurn = (first: Reader, second: Reader): Reader => (value) => {
  const read = first(value)
  return read === unfit ? unfit : second(read)
}

const refinement = (ast: AST.Refinement): Reader =>
  inTurn(readerOf(ast.from), when((value) => Option.isNone(ast.filter(value, preserve, ast))))

const declaration = (ast: AST.Declaration): Reader => {
  const decode = ast.decodeUnknown(...ast.typeParameters)
  return (value) => valueOf(decode(value, preserve, ast))
}

const transformation = (ast: AST.Transformation): Reader => {
  const from = readerOf(ast.from)
  const to = readerOf(ast.to)
  const { transformation } = ast
  switch (transformation._tag) {
    case "ComposeTransformation":
      return inTurn(from, to)
    case "FinalTransformation":
      return (value) => {
        const read = from(value)
        if (read === unfit) return unfit
        const made = valueOf(transformation.decode(read, preserve, ast, value))
        return made === unfit ? unfit : to(made)
      }
    default:
      return bySchema(ast)
  }
}

const record = (ast: AST.TypeLiteral): Reader => {
  const names = ast.propertySignatures.map(({ name }) => name)
  if (ast.indexSignatures.length > 0 || names.length === 0 || names.some((name) => name in Object.prototype)) {
    return bySchema(ast)
  }
  const fields = ast.propertySignatures.map(({ isOptional, name, type }) => ({
    isOptional,
    name,
    read: readerOf(type)
  }))
  return (value) => {
    // Schema, which copies, makes a prototype of a property that has this name.
    if (!Predicate.isRecord(value) || Object.hasOwn(value, "__proto__")) return unfit
    let result = value
    for (const { isOptional, name, read } of fields) {
      const before = value[name]
      const isMissing = before === undefined && !Object.hasOwn(value, name)
      if (isMissing && isOptional) continue
      const after = read(before)
      if (after === unfit) return unfit
      // What is required, but may be undefined, is then there.
      if (isMissing || !Object.is(after, before)) {
        if (result === value) result = { ...value }
        result[name] = after
      }
    }
    return result
  }
}

const array = (ast: AST.TupleType): Reader => {
  const [rest, ...more] = ast.rest
  if (ast.elements.length > 0 || rest === undefined || more.length > 0) return bySchema(ast)
  const read = readerOf(rest.type)
  return (value) => {
    if (!Array.isArray(value)) return unfit
    let result: Array<unknown> = value
    for (let index = 0; index < value.length; index++) {
      const before: unknown = value[index]
      const after = read(before)
      if (after === unfit) return unfit
      if (!Object.is(after, before)) {
        if (result === value) result = value.slice()
        result[index] = after
      }
    }
    return result
  }
}

const overlap = (some: ReadonlySet<Domain>, others: ReadonlySet<Domain>) =>
  some.has("any") || others.has("any") || [...some].some((domain) => others.has(domain))

// Schema does not try the members in their order. That makes no difference where only one of them can have a value, or where
// all give it back as it is.
const isUnambiguous = ({ types }: AST.Union) =>
  types.every((one, index) =>
    types.slice(index + 1).every((other) =>
      (isExact(one) && isExact(other)) || !overlap(domainOf(one), domainOf(other))
    )
  )

const union = (ast: AST.Union): Reader => {
  if (!isUnambiguous(ast)) return bySchema(ast)
  const members = ast.types.map(readerOf)
  return (value) => {
    for (const read of members) {
      const made = read(value)
      if (made !== unfit) return made
    }
    return unfit
  }
}

/**
 * A reader of the JSON values that have the form of a schema: it gives what Schema decodes them to, unknown fields kept, without
 * the bookkeeping that an error message needs. A value in which nothing is to be decoded is given as it is. What it finds unfit is
 * to be asked of Schema, which says what is wrong with it.
 */
export const readerOf = (ast: AST.AST): Reader => {
  // Where the schema says for itself how it is to be read.
  if (Option.isSome(AST.getParseOptionsAnnotation(ast)) || Option.isSome(AST.getDecodingFallbackAnnotation(ast))) {
    return bySchema(ast)
  }
  switch (ast._tag) {
    case "StringKeyword":
      return when(Predicate.isString)
    case "NumberKeyword":
      return when(Predicate.isNumber)
    case "BooleanKeyword":
      return when(Predicate.isBoolean)
    case "UndefinedKeyword":
      return when(Predicate.isUndefined)
    case "UnknownKeyword":
    case "AnyKeyword":
      return identity
    case "Literal":
      return when((value) => value === ast.literal)
    case "Refinement":
      return refinement(ast)
    case "Declaration":
      return declaration(ast)
    case "Transformation":
      return transformation(ast)
    case "TypeLiteral":
      return record(ast)
    case "TupleType":
      return array(ast)
    case "Union":
      return union(ast)
    default:
      return bySchema(ast)
  }
}
