import type * as AST from "effect/SchemaAST"

/** A kind of value that a schema may take. */
export type Domain = "string" | "number" | "boolean" | "null" | "undefined" | "array" | "record" | "any"

const domainOfLiteral = (literal: AST.LiteralValue): Domain => {
  if (literal === null) return "null"
  if (typeof literal === "string") return "string"
  if (typeof literal === "number") return "number"
  return typeof literal === "boolean" ? "boolean" : "any"
}

const only = (domain: Domain): ReadonlySet<Domain> => new Set([domain])

/** Kinds of values outside of which a schema decodes none. */
export const domainOf = (ast: AST.AST): ReadonlySet<Domain> => {
  switch (ast._tag) {
    case "StringKeyword":
    case "TemplateLiteral":
      return only("string")
    case "NumberKeyword":
      return only("number")
    case "BooleanKeyword":
      return only("boolean")
    case "UndefinedKeyword":
      return only("undefined")
    case "Literal":
      return only(domainOfLiteral(ast.literal))
    case "TypeLiteral":
      return only(ast.propertySignatures.length + ast.indexSignatures.length > 0 ? "record" : "any")
    case "TupleType":
      return only("array")
    case "Refinement":
    case "Transformation":
      return domainOf(ast.from)
    case "Union":
      return new Set(ast.types.flatMap((type) => [...domainOf(type)]))
    default:
      return only("any")
  }
}

/** Whether a schema gives back, as it is, each value that it takes. */
export const isExact = (ast: AST.AST): boolean => {
  switch (ast._tag) {
    case "StringKeyword":
    case "NumberKeyword":
    case "BooleanKeyword":
    case "UndefinedKeyword":
    case "Literal":
    case "UnknownKeyword":
    case "AnyKeyword":
      return true
    case "Refinement":
      return isExact(ast.from)
    case "Union":
      return ast.types.every(isExact)
    default:
      return false
  }
}
