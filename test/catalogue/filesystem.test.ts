import { describe, expect, it } from "vitest"
import * as catalogue from "../../src/catalogue/filesystem.js"
import { describeCategory } from "./categorySuite.js"
import { filesystem as reference } from "./reference/filesystem.js"
import { filesystem as samples } from "./samples/filesystem.js"
import { takes, thereAndBack } from "./values.js"

describeCategory("filesystem", {
  reference,
  samples,
  wrong: {
    "filesystem.read": { input: { offset: -1 }, output: { checksum: "abc" } },
    "filesystem.write": { input: { content: null }, output: { size: "3" } },
    "filesystem.edit": { input: { expected_replacements: 0.5 }, output: { per_file: [{ path: "/workspace/a" }] } },
    "filesystem.list": { input: { sort_by: "colour" }, output: { entries: [{ name: "a", type: "file" }] } },
    "filesystem.delete": { input: { path: ["a"] }, output: { recoverable_until: "tomorrow" } },
    "filesystem.restore": { input: { overwrite: "yes" }, output: { restored_path: null } },
    "filesystem.stat": { input: { path: null }, output: { exists: "yes" } },
    "filesystem.search": {
      input: { aggregate: { group_by: "colour" } },
      output: { duplicates: [{ checksum: "abc" }] }
    },
    "filesystem.search_content": { input: { max_results: 0 }, output: { counts: { a: "1" } } },
    "filesystem.copy": { input: { destination: null }, output: { checksum: "abc" } },
    "filesystem.move": { input: { source: null }, output: { size: 0.5 } },
    "filesystem.watch": { input: { event_types: ["explode"] }, output: { recursive: "yes" } },
    "filesystem.append": { input: { content: 7 }, output: { new_size: null } }
  },
  newer: {
    "filesystem.edit": { applied: "elsewhere" },
    "filesystem.list": { entries: [{ ...samples["filesystem.list"].output.entries[0], type: "socket" }] },
    "filesystem.stat": { type: "socket" }
  }
})

describe("filesystem.stat", () => {
  it("may say of a missing path that it is missing, and no more", () => {
    expect(thereAndBack(catalogue.stat.outputSchema, { exists: false })).toEqual({ exists: false })
  })
})

describe("filesystem.search", () => {
  it("leaves the matches out where it gives groups", () => {
    const { matches: _, ...output } = samples["filesystem.search"].output
    expect(thereAndBack(catalogue.search.outputSchema, output)).toEqual(output)
  })

  it.each([[0, true], [268_435_456, true], [268_435_457, false], [-1, false]])(
    "may be asked for hashes up to %d bytes: %s",
    (max_hash_bytes, fits) => {
      expect(takes(catalogue.search.inputSchema, { path: "a", pattern: "*", max_hash_bytes })).toBe(fits)
    }
  )
})
