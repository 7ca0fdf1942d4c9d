import { describe, expect, it } from "vitest"
import type { BuiltIn } from "../../src/catalogue/builtIn.js"
import { builtIn } from "../../src/catalogue/builtIn.js"
import type { Prose } from "../../src/catalogue/Prose.js"
import { builtInProse } from "../../src/catalogue/prose/builtIn.js"
import { entries } from "./entries.js"
import { categories } from "./reference/all.js"

const mentioned = new RegExp(String.raw`\b(?:${Object.keys(categories).join("|")})(?:\.[a-z_]+){1,2}\b(?!\.\w)`, "g")

const common = { purpose: "", whenToUse: "", sideEffects: [], commonPatterns: [] }

describe("the words of the catalogue", () => {
  it("are there for every capability", () => {
    expect(Object.keys(builtInProse).sort()).toEqual(Object.keys(builtIn).sort())
  })

  it("give every capability a purpose of its own", () => {
    const purposes = entries.map(({ prose }) => prose.purpose)
    expect(new Set(purposes).size).toBe(purposes.length)
  })

  it.each(entries)("describe each side effect of $name", ({ capability, prose }) => {
    expect(prose.sideEffects.length).toBe(capability.sideEffects.length)
  })

  it.each(entries)("describe usual ways of using $name, with steps", ({ prose }) => {
    expect(prose.commonPatterns.length).toBeGreaterThan(0)
    expect(prose.commonPatterns.filter(({ description, steps }) => description === "" || steps.length === 0)).toEqual(
      []
    )
  })

  it.each(entries)("name the inputs, outputs and errors of $name, and no others", ({ capability, prose }) => {
    expect(Object.keys(prose.inputs)).toEqual(Object.keys(capability.inputs))
    expect(Object.keys(prose.outputs).sort()).toEqual(Object.keys(capability.outputs).sort())
    expect(Object.keys(prose.errors).sort()).toEqual(Object.keys(capability.errors).sort())
  })

  it.each(entries)("of $name are nowhere empty", ({ prose }) => {
    const texts = [
      prose.purpose,
      prose.whenToUse,
      ...Object.values<string>(prose.inputs),
      ...Object.values<string>(prose.outputs),
      ...Object.values<string>(prose.errors),
      ...prose.sideEffects,
      ...prose.commonPatterns.flatMap(({ description, steps }) => [description, ...steps])
    ]
    expect(texts.filter((text) => text.trim() === "")).toEqual([])
  })

  it.each(entries)("of $name refer to capabilities that exist", ({ prose }) => {
    const referred = JSON.stringify(prose).match(mentioned) ?? []
    expect(referred.filter((name) => !Object.hasOwn(builtIn, name))).toEqual([])
  })

  it("refer to many", () => {
    const referred = new Set(entries.flatMap(({ prose }) => JSON.stringify(prose).match(mentioned) ?? []))
    expect(referred.size).toBeGreaterThan(60)
  })

  it("do not compile when a name is missing or one too many", () => {
    const complete: Prose<BuiltIn["system.time"]> = {
      ...common,
      inputs: { timezone: "" },
      outputs: { utc: "", unix_epoch: "", unix_epoch_ms: "", local: "", timezone: "" },
      errors: { InvalidTimezone: "" }
    }
    const wrong: Prose<BuiltIn["system.time"]> = {
      ...common,
      // @ts-expect-error an input that the capability does not have
      inputs: { timezone: "", calendar: "" },
      // @ts-expect-error timezone is missing
      outputs: { utc: "", unix_epoch: "", unix_epoch_ms: "", local: "" },
      // @ts-expect-error the capability lists another error
      errors: { Timeout: "" }
    }
    const none: Prose<BuiltIn["system.info"]>["inputs"] = {
      // @ts-expect-error the capability has no inputs
      timezone: ""
    }
    expect([complete, wrong, none]).toHaveLength(3)
  })
})
