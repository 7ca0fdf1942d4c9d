import { describe, expect, it } from "vitest"
import type { BuiltIn } from "../../src/catalogue/builtIn.js"
import { builtIn } from "../../src/catalogue/builtIn.js"
import type { Prose } from "../../src/catalogue/Prose.js"
import { builtInProse } from "../../src/catalogue/prose/builtIn.js"
import { entries } from "./entries.js"

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

  it.each(entries)("of $name refer to capabilities that exist", ({ prose }) => {
    const referred = JSON.stringify(prose).match(/\b(?:agent|comms|filesystem|system)\.[a-z_]+/g) ?? []
    expect(referred.filter((name) => !Object.hasOwn(builtIn, name))).toEqual([])
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
