import type {
  CapabilityDefinition,
  CommonPattern,
  ErrorDefinition,
  InputDefinition,
  SideEffect
} from "../schema/CapabilityDefinition.js"
import { oneLine, table } from "./text.js"

const indented = (lines: ReadonlyArray<string>) => lines.map((line) => `  ${line}`)

const section = (title: string, lines: ReadonlyArray<string>) =>
  lines.length === 0 ? [] : ["", title, ...indented(lines)]

const necessity = (input: InputDefinition): string => {
  if (input.default !== undefined && input.default !== null) return `default ${JSON.stringify(input.default)}`
  return input.required ? "required" : "optional"
}

const error = ({ description, recovery, type }: ErrorDefinition) => [
  oneLine(description === "" ? type : `${type}: ${description}`),
  ...indented(recovery.map(({ action, description: how }) => oneLine(`${action} — ${how}`)))
]

const sideEffect = ({ description, reversible }: SideEffect) =>
  oneLine(`${description} (${reversible ? "can be undone" : "cannot be undone"})`)

const pattern = ({ description, steps }: CommonPattern) => [
  oneLine(description),
  ...indented(steps.map((step, index) => oneLine(`${index + 1}. ${step}`)))
]

/** What a gateway says of a capability, as a page to read. */
export const definitionPage = (definition: CapabilityDefinition): string => {
  const {
    commonPatterns,
    errors,
    inputs,
    name,
    outputs,
    permissionTier,
    purpose,
    sideEffects,
    tags,
    version,
    whenToUse
  } = definition
  const facts = [
    ...(version === "" ? [] : [["Version", version]]),
    ...(permissionTier === undefined ? [] : [["Tier", permissionTier]]),
    ...(tags.length === 0 ? [] : [["Tags", tags.join(", ")]])
  ]
  return [
    oneLine(`${name}${purpose === "" ? "" : ` — ${purpose}`}`),
    ...section("FACTS", table(facts)),
    ...section("WHEN TO USE", whenToUse === "" ? [] : [oneLine(whenToUse)]),
    ...section(
      "INPUTS",
      table(inputs.map((input) => [input.name, input.type, necessity(input), input.description]))
    ),
    ...section("OUTPUTS", table(outputs.map((output) => [output.name, output.type, output.description]))),
    ...section("ERRORS", errors.flatMap(error)),
    ...section("SIDE EFFECTS", sideEffects.map(sideEffect)),
    ...section("PATTERNS", commonPatterns.flatMap(pattern))
  ].join("\n")
}
