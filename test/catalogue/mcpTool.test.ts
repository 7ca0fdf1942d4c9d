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
import { reference } from "./reference/all.js"
import { names } from "./reference/Documented.js"
import { hints } from "./reference/hints.js"

const ajv = new AjvJsonSchemaValidator()

const clientValidator = (name: string) => {
  const { capability, prose } = entry(name)
  const { outputSchema } = ToolSchema.parse(JSON.parse(JSON.stringify(mcpTool(capability, prose))))
  if (outputSchema === undefined) throw new Error(`${name} has no output schema`)
  const { properties = {}, required = [], ...others } = outputSchema
  return ajv.getValidator({ ...others, properties, required })
}

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

  it("hints of each capability what is true of it", () => {
    const actual = entries.map(({ capability, name, prose }) => {
      const { destructiveHint, idempotentHint, openWorldHint, readOnlyHint } = mcpTool(capability, prose).annotations
      return [name, [readOnlyHint, destructiveHint, idempotentHint, openWorldHint]]
    })
    expect(Object.fromEntries(actual)).toEqual(hints)
  })

  it("hints that it only reads of what is documented as safe and without side effects, and of reading mail", () => {
    const safe = Object.entries(reference)
      .filter(([name, { sideEffects = [], tags }]) =>
        name === "email.read" || (names(tags).includes("safe") && sideEffects.length === 0)
      )
      .map(([name]) => name)
    expect(safe).toHaveLength(38)
    const whereTrue = (holds: (row: (typeof entries)[number]) => boolean) =>
      entries.filter(holds).map(({ name }) => name).sort()
    expect(whereTrue(({ capability, prose }) => mcpTool(capability, prose).annotations.readOnlyHint)).toEqual(
      safe.sort()
    )
    expect(whereTrue(({ capability }) => isReplayable(capability))).toEqual(safe.sort())
  })

  it("hints the worst of a pack's capability that says nothing of its effects", () => {
    const thing = make("pack.thing", { tier: "notify", tags: ["pack"], inputs: {}, outputs: {}, errors: {} })
    const prose = { ...entry("agent.whoami").prose, inputs: {}, outputs: {} }
    expect(mcpTool(thing, prose).annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true })
  })

  it("hints of a pack's request that it reaches beyond the machine", () => {
    const request = make("pack.http_request", {
      tier: "notify",
      tags: ["network", "http", "egress"],
      inputs: {},
      outputs: {},
      errors: {},
      sideEffects: ["not reversible"]
    })
    const prose = { ...entry("agent.whoami").prose, inputs: {}, outputs: {} }
    expect(mcpTool(request, prose).annotations).toEqual({
      title: "Pack: http request",
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
    [
      "is false of a request that documents none and is not called safe",
      "network.credentialed_request",
      ["network"],
      [],
      false
    ],
    ["is true of reading mail, which only fills a cache", "email.read", ["safe"], ["not reversible"], true]
  ])("%s", (_, name, tags, sideEffects, expected) => {
    expect(isReplayable({ name, tags, sideEffects })).toBe(expected)
  })
})
