import * as Option from "effect/Option"
import type { ParseIssue, Path } from "effect/ParseResult"
import * as AST from "effect/SchemaAST"
import { suggestion } from "./nearest.js"

/** Where in a document: the keys and indices that lead there. */
export type DocumentPath = ReadonlyArray<string | number>

/** Something wrong in a document. `key`: it is the key itself that is wrong, not what it holds. */
export interface DocumentIssue {
  readonly path: DocumentPath
  readonly message: string
  readonly key?: boolean
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return "nothing"
  if (Array.isArray(value)) return "a list"
  return typeof value === "object" ? "a mapping" : shown(value)
}

const literalsOf = (ast: AST.AST): ReadonlyArray<string> =>
  AST.isUnion(ast) ? ast.types.flatMap(literalsOf) : AST.isLiteral(ast) ? [String(ast.literal)] : []

const descriptionOf = (ast: AST.AST): string | undefined => {
  const own = Option.getOrUndefined(AST.getDescriptionAnnotation(ast))
  return own ?? (AST.isRefinement(ast) ? descriptionOf(ast.from) : undefined)
}

const mismatch = (ast: AST.AST, actual: unknown): string => {
  const meant = typeof actual === "string" ? suggestion(actual, literalsOf(ast)) : ""
  return `expected ${descriptionOf(ast) ?? "something else"}, not ${kindOf(actual)}${meant}`
}

const keysOf = (ast: AST.AST): ReadonlyArray<string> =>
  AST.isTypeLiteral(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []

const segmentsOf = (path: Path): DocumentPath =>
  (Array.isArray(path) ? path : [path]).map((segment) => typeof segment === "number" ? segment : String(segment))

/** What a schema finds wrong, in words for whoever wrote the document. */
export const issuesOf = (
  issue: ParseIssue,
  path: DocumentPath = [],
  enclosing?: AST.AST
): ReadonlyArray<DocumentIssue> => {
  switch (issue._tag) {
    case "Pointer":
      return issuesOf(issue.issue, [...path, ...segmentsOf(issue.path)], enclosing)
    case "Composite": {
      if (AST.isUnion(issue.ast)) return [{ path, message: mismatch(issue.ast, issue.actual) }]
      const inner: ReadonlyArray<ParseIssue> = "_tag" in issue.issues ? [issue.issues] : issue.issues
      return inner.flatMap((one) => issuesOf(one, path, issue.ast))
    }
    case "Refinement":
      return [{ path, message: mismatch(issue.ast, issue.actual) }]
    case "Transformation":
      return issuesOf(issue.issue, path, issue.ast)
    case "Missing":
      return [{ path: path.slice(0, -1), message: `${path.at(-1)} is missing` }]
    case "Unexpected": {
      const keys = enclosing === undefined ? [] : keysOf(enclosing)
      const key = String(path.at(-1))
      return [{
        path,
        key: true,
        message: `unknown key ${shown(key)}${suggestion(key, keys) || `: the keys here are ${keys.join(", ")}`}`
      }]
    }
    default:
      return [{ path, message: mismatch(issue.ast, issue.actual) }]
  }
}
