import type { CapabilityDefinition } from "../../schema/CapabilityDefinition.js"

const schemasOfWireTypes = new Map([
  ["String", "Schema.String"],
  ["Integer", "Integer"],
  ["Float", "Float"],
  ["Number", "Float"],
  ["Boolean", "Schema.Boolean"],
  ["Array", "Schema.Array(Json)"],
  ["Object", "Json"],
  ["DateTime", "DateTimeUtc"],
  ["FilesystemPath", "FilesystemPath"],
  ["GlobPattern", "GlobPattern"],
  ["SHA256", "Sha256"],
  ["URL", "Url"],
  ["AgentId", "AgentId"],
  ["SessionId", "SessionId"]
])

const schemaOf = (wireType: string): string => schemasOfWireTypes.get(wireType) ?? "Json"

const identifier = /^[A-Za-z_$][\w$]*$/

// What a gateway says goes into the module as literals and comments only, whatever it says.
const literal = (value: unknown): string => JSON.stringify(value)

const key = (name: string): string => identifier.test(name) ? name : literal(name)

const comment = (text: string, indent: string): string => {
  const words = text.replaceAll("*/", "* /").replaceAll(/\s+/g, " ").trim()
  return words === "" ? "" : `${indent}/** ${words} */\n`
}

const constantOf = (name: string): string => {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "")
  const camelCase = words
    .map((word, index) => index === 0 ? word.toLowerCase() : `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join("")
  // A single word may be one of the language's own.
  return words.length > 1 && !/^\d/.test(camelCase) ? camelCase : `capability_${camelCase}`
}

const constantsOf = (names: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const taken = new Set<string>()
  return new Map(names.map((name) => {
    const wanted = constantOf(name)
    let constant = wanted
    for (let count = 2; taken.has(constant); count++) constant = `${wanted}${count}`
    taken.add(constant)
    return [name, constant]
  }))
}

const record = (fields: ReadonlyArray<string>): string => fields.length === 0 ? "{}" : `{\n${fields.join(",\n")}\n  }`

const inputsOf = ({ inputs }: CapabilityDefinition): string =>
  record(inputs.map(({ default: value, description, name, required, type }) => {
    const schema = schemaOf(type)
    const optional = value === undefined || value === null
      ? `Capability.optional(${schema})`
      : `Capability.optional(${schema}, ${type === "DateTime" ? "undefined" : literal(value)})`
    return `${comment(description, "    ")}    ${key(name)}: ${required ? schema : optional}`
  }))

// A definition does not say which outputs are always there.
const outputsOf = ({ outputs }: CapabilityDefinition): string =>
  record(
    outputs.map(({ description, name, type }) =>
      `${comment(description, "    ")}    ${key(name)}: Schema.optional(Schema.NullOr(${schemaOf(type)}))`
    )
  )

const errorsOf = ({ errors }: CapabilityDefinition): string =>
  record(errors.map(({ description, recovery, type }) => {
    const actions = recovery.map(({ action }) => `, ${literal(action)}`).join("")
    return `${comment(description, "    ")}    ${key(type)}: Capability.failure(CapabilityError${actions})`
  }))

const tiers = ["autonomous", "notify", "approval_required", "blocked"]

const declarationOf = (definition: CapabilityDefinition, constant: string): string => {
  const { name, permissionTier = "", purpose, sideEffects, tags, version } = definition
  const reversibilities = sideEffects.map(({ reversible }) => reversible ? "reversible" : "not reversible")
  return `${comment(purpose, "")}export const ${constant} = Capability.make(${literal(name)}, {
  version: ${literal(version)},
  tier: ${literal(tiers.includes(permissionTier) ? permissionTier : "approval_required")},
  tags: ${literal(tags)},
  inputs: ${inputsOf(definition)},
  outputs: ${outputsOf(definition)},
  errors: ${errorsOf(definition)},
  sideEffects: ${literal(reversibilities)}
})
`
}

const importsOf = (declarations: string): string => {
  const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(declarations)
  const own = ["Capability", "CapabilityError", "Catalogue"].filter((name) => name === "Catalogue" || uses(name))
  const schemas = [
    "AgentId",
    "DateTimeUtc",
    "FilesystemPath",
    "Float",
    "GlobPattern",
    "Integer",
    "Json",
    "SessionId",
    "Sha256",
    "Url"
  ]
    .filter(uses)
  return [
    ...(uses("Schema") ? ["import * as Schema from \"effect/Schema\""] : []),
    `import { ${own.join(", ")} } from "kruxos"`,
    ...(schemas.length === 0 ? [] : [`import { ${schemas.join(", ")} } from "kruxos/schema"`])
  ].join("\n")
}

/**
 * Writes the module that types those capabilities of a gateway which are not among the known ones. The same definitions
 * give the same text, whatever their order, so that a difference means that the gateway has changed.
 */
export const moduleOf = (
  definitions: ReadonlyArray<CapabilityDefinition>,
  isKnown: (name: string) => boolean
): string => {
  const lacking = definitions
    .filter(({ name }) => !isKnown(name))
    .toSorted((one, other) => one.name < other.name ? -1 : 1)
  const constants = constantsOf(lacking.map(({ name }) => name))
  const constant = (name: string) => constants.get(name) ?? name
  const declarations = lacking.map((definition) => declarationOf(definition, constant(definition.name))).join("\n")
  const catalogue = `/** For \`Capabilities.withCatalogue\`. */
export const gatewayCatalogue = Catalogue.make(${lacking.map(({ name }) => constant(name)).join(", ")})
`
  return `/**
 * The capabilities of a gateway that the package does not know. Made by \`kruxos codegen\`: make it anew, do not edit it.
 */
${importsOf(declarations)}

${declarations === "" ? "" : `${declarations}\n`}${catalogue}`
}
