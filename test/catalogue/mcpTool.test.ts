import { ToolSchema } from "@modelcontextprotocol/sdk/types.js"
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { make } from "../../src/catalogue/Capability.js"
import { mcpTool } from "../../src/catalogue/mcpTool.js"
import { isReplayable } from "../../src/catalogue/replayable.js"
import { capabilityName, toolName } from "../../src/catalogue/toolName.js"
import { parameters } from "../support/runs.js"
import { entries, entry } from "./entries.js"

const ajv = new AjvJsonSchemaValidator()

const clientValidator = (name: string) => {
  const { capability, prose } = entry(name)
  const { outputSchema } = ToolSchema.parse(JSON.parse(JSON.stringify(mcpTool(capability, prose))))
  if (outputSchema === undefined) throw new Error(`${name} has no output schema`)
  const { properties = {}, required = [], ...others } = outputSchema
  return ajv.getValidator({ ...others, properties, required })
}

const namesWhere = (hint: "readOnlyHint" | "destructiveHint" | "idempotentHint" | "openWorldHint") =>
  entries
    .filter(({ capability, prose }) => mcpTool(capability, prose).annotations[hint])
    .map(({ name }) => name)
    .sort()

const readOnly = [
  "agent.capabilities",
  "agent.policy",
  "agent.session",
  "agent.whoami",
  "filesystem.list",
  "filesystem.read",
  "filesystem.search",
  "filesystem.stat",
  "system.health",
  "system.info",
  "system.metrics",
  "system.time"
]

describe("mcpTool", () => {
  it.each(entries)("$name is a tool that the official SDK reads whole", ({ capability, name, prose }) => {
    const tool = mcpTool(capability, prose)
    expect(ToolSchema.parse(tool)).toEqual(tool)
    expect(capabilityName(tool.name)).toBe(name)
    expect(tool.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    expect(tool.description).toBe(`${prose.purpose} ${prose.whenToUse}`)
  })

  it.each(entries)("the official SDK's client accepts the outputs of $name", ({ capability, name }) => {
    const validate = clientValidator(name)
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(capability.outputSchema), (output) => {
        const structuredContent = JSON.parse(JSON.stringify(Schema.encodeSync(capability.outputSchema)(output)))
        expect(validate(structuredContent).errorMessage).toBeUndefined()
      }),
      parameters(100)
    )
  })

  it("accepts null where the output may be null", () => {
    const validate = clientValidator("system.time")
    const output = { utc: "2025-01-01T00:00:00.000Z", unix_epoch: 1, unix_epoch_ms: 1, timezone: "UTC" }
    expect(validate({ ...output, local: null }).valid).toBe(true)
    expect(validate({ ...output, local: 1 }).valid).toBe(false)
  })

  it("accepts the date of a file from beyond the year 9999", () => {
    const entries = [{ name: "a", type: "file", size: 1, modified: "+010000-01-01T00:00:00.000Z" }]
    expect(clientValidator("filesystem.list")({ entries, total: 1, path: "/workspace" }).valid).toBe(true)
  })

  it("hints at what only reads", () => {
    expect(namesWhere("readOnlyHint")).toEqual(readOnly)
  })

  it("hints at what nothing undoes", () => {
    expect(namesWhere("destructiveHint")).toEqual(["comms.receive", "filesystem.append", "filesystem.delete"])
  })

  it("hints at what may be repeated without further effect", () => {
    expect(namesWhere("idempotentHint")).toEqual(
      [
        ...readOnly,
        "filesystem.copy",
        "filesystem.delete",
        "filesystem.move",
        "filesystem.restore",
        "filesystem.search_content",
        "filesystem.write"
      ].sort()
    )
  })

  it("hints at what reaches beyond the machine", () => {
    expect(namesWhere("openWorldHint")).toEqual([])
    const request = make("network.http_request", {
      tier: "notify",
      tags: ["network", "http", "egress"],
      inputs: {},
      outputs: {},
      errors: {},
      sideEffects: ["not reversible"]
    })
    const prose = { ...entry("agent.whoami").prose, inputs: {}, outputs: {} }
    expect(mcpTool(request, prose).annotations).toEqual({
      title: "Network: http request",
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true
    })
  })
})

describe("names of tools", () => {
  it("stand for names of capabilities, both ways", () => {
    expect(toolName("state.persistent.get")).toBe("state__persistent__get")
    expect(capabilityName("state__persistent__get")).toBe("state.persistent.get")
    expect(toolName("filesystem.search_content")).toBe("filesystem__search_content")
  })
})

describe("isReplayable", () => {
  it.each([
    ["is true of what is safe and has no side effects", "filesystem.read", ["safe"], [], true],
    ["is false of what is safe and has one", "filesystem.watch", ["safe"], ["reversible"], false],
    ["is false of what has none and is not called safe", "filesystem.search_content", ["read"], [], false],
    ["is true of reading mail, which only fills a cache", "email.read", ["safe"], ["not reversible"], true]
  ])("%s", (_, name, tags, sideEffects, expected) => {
    expect(isReplayable({ name, tags, sideEffects })).toBe(expected)
  })
})
