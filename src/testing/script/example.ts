import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Struct from "effect/Struct"
import type { AnyCapability } from "../../catalogue/Capability.js"

// A digest has 64 digits; whoever needs another form fits one of the others.
const texts = ["…", "0".repeat(64), "a"]

const numbers = [0, 1]

const candidatesOf = (ast: AST.AST): ReadonlyArray<unknown> => {
  switch (ast._tag) {
    case "StringKeyword":
      return texts
    case "NumberKeyword":
      return numbers
    case "BooleanKeyword":
      return [false, true]
    case "Literal":
      return [ast.literal]
    case "UndefinedKeyword":
    case "VoidKeyword":
      return [undefined]
    case "Declaration":
      return [DateTime.unsafeMake(0)]
    case "Refinement":
      return candidatesOf(ast.from)
    case "Transformation":
      return candidatesOf(ast.to)
    case "Suspend":
      return candidatesOf(ast.f())
    case "Union":
      return ast.types.flatMap(candidatesOf)
    case "TupleType":
      return [ast.elements.filter(({ isOptional }) => !isOptional).map(({ type }) => exampleOf(type))]
    case "TypeLiteral":
      return [
        Object.fromEntries(
          ast.propertySignatures.filter(({ isOptional }) => !isOptional).map(({ name, type }) => [
            name,
            exampleOf(type)
          ])
        )
      ]
    default:
      return [{}]
  }
}

const exampleOf = (ast: AST.AST): unknown => {
  const candidates = candidatesOf(ast)
  return candidates.find(Schema.is(Schema.make(ast))) ?? candidates[0]
}

/** An output as plain as can be, for its reader to put something better in its place. What is spelled in two ways is there once. */
export const example = ({ outputSchema, spellings }: AnyCapability): unknown => {
  const output = exampleOf(AST.typeAST(outputSchema.ast))
  return Predicate.isReadonlyRecord(output)
    ? Struct.omit(output, ...spellings.map(([, other]) => other))
    : output
}
