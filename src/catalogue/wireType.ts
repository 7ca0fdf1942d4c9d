import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { WireType } from "../schema/primitives.js"

const isNullish = (ast: AST.AST) => AST.isUndefinedKeyword(ast) || (AST.isLiteral(ast) && ast.literal === null)

const present = (ast: AST.AST): AST.AST =>
  AST.isUnion(ast) ? AST.Union.make(ast.types.filter((type) => !isNullish(type)), ast.annotations) : ast

const annotated = (ast: AST.AST): string | undefined => {
  const own = ast.annotations[WireType]
  if (typeof own === "string") return own
  if (AST.isRefinement(ast)) return annotated(ast.from)
  if (AST.isTransformation(ast)) return annotated(ast.from) ?? annotated(ast.to)
  return undefined
}

const isInteger = (ast: AST.AST): boolean =>
  Option.match(AST.getJSONSchemaAnnotation(ast), {
    onNone: () => false,
    onSome: (jsonSchema) => "type" in jsonSchema && jsonSchema.type === "integer"
  }) || (AST.isRefinement(ast) && isInteger(ast.from))

const literalType = (literal: AST.LiteralValue): string => {
  switch (typeof literal) {
    case "string":
      return "String"
    case "boolean":
      return "Boolean"
    default:
      return Number.isInteger(literal) ? "Integer" : "Number"
  }
}

const agreed = (types: ReadonlyArray<string>): string => {
  const [first, ...others] = new Set(types)
  if (first === undefined) return "Object"
  if (others.length === 0) return first
  return ["Integer", "Float", "Number"].includes(first) &&
      others.every((type) => ["Integer", "Float", "Number"].includes(type))
    ? "Number"
    : "Object"
}

const typeOf = (schema: AST.AST): string => {
  const ast = present(schema)
  const named = annotated(ast)
  if (named !== undefined) return named
  switch (ast._tag) {
    case "StringKeyword":
    case "TemplateLiteral":
      return "String"
    case "NumberKeyword":
      return "Number"
    case "BooleanKeyword":
      return "Boolean"
    case "Literal":
      return literalType(ast.literal)
    case "Enums":
      return agreed(ast.enums.map(([, value]) => literalType(value)))
    case "TupleType":
      return "Array"
    case "Union":
      return agreed(ast.types.map(typeOf))
    case "Refinement":
      return isInteger(ast) ? "Integer" : typeOf(ast.from)
    case "Transformation":
      return typeOf(ast.from)
    case "Suspend":
      return typeOf(ast.f())
    default:
      return "Object"
  }
}

/**
 * The name that KruxOS has for the type of an input or output: `FilesystemPath`, `DateTime`, `Integer`, `Array`, … A
 * field that may be missing or null has the type that it has otherwise; what is any JSON value is `Object`.
 */
export const wireTypeOf = (field: Schema.Struct.Field): string => {
  if (!Schema.isPropertySignature(field)) return typeOf(field.ast)
  return field.ast._tag === "PropertySignatureDeclaration" ? typeOf(field.ast.type) : typeOf(field.ast.from.type)
}
