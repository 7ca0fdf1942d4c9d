import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { compile, type FileRole } from "./compile.js"
import { PolicyDocument } from "./document.js"
import { InvalidPolicy } from "./InvalidPolicy.js"
import { type DocumentIssue, issuesOf } from "./issues.js"
import type { Layer } from "./Layer.js"
import { type Misplaced, parseYaml, type YamlText } from "./yamlText.js"

/** How large a policy file may be. */
export const mostBytes = 1024 * 1024

const decode = Schema.decodeUnknownEither(PolicyDocument, { onExcessProperty: "error", errors: "all" })

const misplaced = ({ placeOf }: YamlText) => ({ key, message, path }: DocumentIssue): Misplaced => ({
  ...placeOf(path, key),
  message
})

const roleFor = (role: FileRole | "any", { agent }: PolicyDocument): FileRole =>
  role === "any" ? { layer: agent === undefined ? "organization" : "agent" } : role

const read = (
  text: string,
  file: string,
  role: FileRole | "any"
): Either.Either<Layer, ReadonlyArray<Misplaced>> =>
  Either.flatMap(parseYaml(text), (yaml) => {
    // An editor empties a file before it writes it, and a policy that says nothing needs no file.
    if (yaml.value === null || yaml.value === undefined) {
      return Either.left([{
        ...yaml.placeOf([]),
        message: "the file is empty: a policy is a mapping, such as defaults: { tier: notify }"
      }])
    }
    return decode(yaml.value).pipe(
      Either.mapLeft(({ issue }) => issuesOf(issue)),
      Either.flatMap((document) =>
        compile(document, { ...roleFor(role, document), file, lineOf: (path) => yaml.placeOf(path, true).line })
      ),
      Either.mapLeft(Arr.map(misplaced(yaml)))
    )
  })

/** Reads the text of a policy file. `file` is what it is called in problems; `any` is the role that the file itself calls for. */
export const parsePolicy = (
  text: string,
  file: string,
  role: FileRole | "any"
): Either.Either<Layer, InvalidPolicy> =>
  Either.mapLeft(read(text, file, role), (wrong) => {
    const problems = wrong.map((one) => ({ file, ...one })).sort((one, other) =>
      one.line - other.line || one.column - other.column
    )
    const [first = { file, line: 1, column: 1, message: "it cannot be read" }, ...others] = problems
    return new InvalidPolicy({ problems: [first, ...others] })
  })
