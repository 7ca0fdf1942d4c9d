import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isExact } from "../../schema/domain.js"
import { type Reader, readerOf, unfit } from "../../schema/quick.js"

const inside = (ast: AST.AST): boolean => isExact(ast) || (AST.isDeclaration(ast) && ast.typeParameters.length === 0)

const transformation = (ast: AST.Transformation): Reader | undefined => {
  const { transformation } = ast
  if (transformation._tag !== "FinalTransformation" || !inside(ast.to) || !isExact(ast.from)) return undefined
  const isTo = readerOf(ast.to)
  const isFrom = readerOf(ast.from)
  return (value) => {
    if (isTo(value) === unfit) return unfit
    const made = transformation.encode(value, {}, ast, value)
    return Either.isEither(made) && Either.isRight(made) ? isFrom(made.right) : unfit
  }
}

const optional = (ast: AST.Union): Reader | undefined => {
  const [present, ...more] = ast.types.filter((type) => !AST.isUndefinedKeyword(type))
  if (present === undefined || more.length > 0) return undefined
  const write = writerOf(present)
  return write === undefined ? undefined : (value) => value === undefined ? undefined : write(value)
}

const record = (ast: AST.TypeLiteral): Reader | undefined => {
  if (ast.indexSignatures.length > 0 || ast.propertySignatures.length === 0) return undefined
  const fields: Array<{ readonly name: PropertyKey; readonly isOptional: boolean; readonly write: Reader }> = []
  for (const { isOptional, name, type } of ast.propertySignatures) {
    const write = writerOf(type)
    if (write === undefined || name in Object.prototype) return undefined
    fields.push({ name, isOptional, write })
  }
  return (value) => {
    if (!Predicate.isRecord(value)) return unfit
    const result: Record<PropertyKey, unknown> = {}
    for (const { isOptional, name, write } of fields) {
      const before = value[name]
      if (before === undefined && !(name in value)) {
        if (isOptional) continue
        return unfit
      }
      const after = write(before)
      if (after === unfit) return unfit
      result[name] = after
    }
    return result
  }
}

const array = (ast: AST.TupleType): Reader | undefined => {
  const [rest, ...more] = ast.rest
  const write = ast.elements.length > 0 || rest === undefined || more.length > 0 ? undefined : writerOf(rest.type)
  return write === undefined ? undefined : (value) => {
    if (!Array.isArray(value)) return unfit
    const result = value.map(write)
    return result.includes(unfit) ? unfit : result
  }
}

// Encodes what has the form of the schema; undefined where only Schema can tell how.
const writerOf = (ast: AST.AST): Reader | undefined => {
  if (Option.isSome(AST.getParseOptionsAnnotation(ast))) return undefined
  if (isExact(ast)) return readerOf(ast)
  switch (ast._tag) {
    case "Transformation":
      return transformation(ast)
    case "Union":
      return optional(ast)
    case "TypeLiteral":
      return record(ast)
    case "TupleType":
      return array(ast)
    default:
      return undefined
  }
}

/**
 * Makes the encoder of a capability's outputs: what Schema encodes them to, and fails as Schema does. Most are encoded without
 * the bookkeeping that an error message needs, which takes longer than many a handler.
 */
export const outputWriter = <A, I>(
  schema: Schema.Schema<A, I>
): (output: A) => Effect.Effect<unknown, ParseResult.ParseError> => {
  const write = writerOf(schema.ast)
  const encode = Schema.encode(schema)
  if (write === undefined) return encode
  return (output) => {
    const written = write(output)
    return written === unfit ? encode(output) : Effect.succeed(written)
  }
}
