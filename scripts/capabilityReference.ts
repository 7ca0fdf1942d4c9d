import { builtIn } from "../src/catalogue/builtIn.js"
import type { AnyCapability } from "../src/catalogue/Capability.js"
import { definitionOf } from "../src/catalogue/definition.js"
import type { Prose } from "../src/catalogue/Prose.js"
import { builtInProse } from "../src/catalogue/prose/builtIn.js"
import type { CapabilityDefinition } from "../src/schema/CapabilityDefinition.js"

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n")

const presence = ({ default: value, required }: CapabilityDefinition["inputs"][number]): string =>
  required ? "required" : value === undefined ? "optional" : `\`${JSON.stringify(value)}\``

const list = (items: ReadonlyArray<string>): string => items.map((item) => `- ${item}`).join("\n")

const section = (definition: CapabilityDefinition): string => {
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
  const parts = [
    `### ${name}`,
    purpose,
    whenToUse,
    `Tier \`${permissionTier}\`, version ${version}, tags ${tags.map((tag) => `\`${tag}\``).join(", ")}.`,
    inputs.length === 0
      ? "It takes no input."
      : table(
        ["input", "type", "if left out", "meaning"],
        inputs.map((input) => [`\`${input.name}\``, input.type, presence(input), input.description])
      ),
    table(
      ["output", "type", "meaning"],
      outputs.map((output) => [`\`${output.name}\``, output.type, output.description])
    ),
    table(
      ["error", "when", "what can be done"],
      errors.map(({ description, recovery, type }) => [
        `\`${type}\``,
        description,
        recovery.map((action) => `\`${action.action}\``).join(", ")
      ])
    ),
    ...(sideEffects.length === 0 ? [] : [
      list(
        sideEffects.map(({ description, reversible }) =>
          `Effect: ${description} (${reversible ? "can be undone" : "cannot be undone"})`
        )
      )
    ]),
    ...(commonPatterns.length === 0 ? [] : [
      list(commonPatterns.map(({ description, steps }) => `Pattern: ${description} — ${steps.join("; ")}`))
    ])
  ]
  return parts.join("\n\n")
}

const categoryOf = ({ name }: CapabilityDefinition): string => name.split(".")[0] ?? ""

/** The text of `docs/capabilities.md`: every capability of the catalogue, by category. */
export const capabilityReference = (): string => {
  const proses: { readonly [name: string]: Prose<AnyCapability> } = builtInProse
  const definitions = Object.values<AnyCapability>(builtIn)
    .flatMap((capability) => {
      const prose = proses[capability.name]
      return prose === undefined ? [] : [definitionOf(capability, prose)]
    })
    .toSorted((one, other) => one.name < other.name ? -1 : 1)
  const categories = [...new Set(definitions.map(categoryOf))]
  const chapters = categories.map((category) => {
    const sections = definitions.filter((definition) => categoryOf(definition) === category).map(section)
    return [`## ${category}`, ...sections].join("\n\n")
  })
  return `# Capabilities

Made by \`npm run docs\` from the catalogue: the ${definitions.length} capabilities that \`Capabilities.invoke\` types, with the tier that holds where no policy says otherwise. What
any capability can fail with besides its own errors is in the type \`InvokeError\`.

${chapters.join("\n\n")}
`
}
