import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as catalogue from "../../src/catalogue/git.js"
import { describeCategory } from "./categorySuite.js"
import { git as reference } from "./reference/git.js"
import { git as samples } from "./samples/git.js"
import { thereAndBack } from "./values.js"

describeCategory("git", {
  reference,
  samples,
  wrong: {
    "git.init": { input: { path: 1 }, output: { default_branch: null } },
    "git.clone": { input: { depth: 0 }, output: { head_commit: null } },
    "git.status": { input: { path: null }, output: { staged: [{ file: "a" }] } },
    "git.pull": { input: { remote: null }, output: { new_commits: 0.5 } },
    "git.push": { input: { branch: ["main"] }, output: { pushed_refs: "refs/heads/main" } },
    "git.commit": { input: { files: "a.txt" }, output: { files_committed: "1" } },
    "git.diff": { input: { cached: "yes" }, output: { changes: [{ file: "a", status: "added", additions: 1 }] } },
    "git.log": { input: { limit: 501 }, output: { commits: [{ hash: "9f2c1e7" }] } },
    "git.branch": { input: { action: "rename" }, output: { branches: [{ name: "main", is_current: 1 }] } }
  },
  newer: {
    "git.status": { state: "bundling", staged: [{ file: "a", status: "copied" }] },
    "git.diff": { changes: [{ file: "a", status: "type_changed", additions: 0, deletions: 0 }] }
  }
})

describe("git.log", () => {
  it.each([[0, false], [1, true], [500, true], [501, false], [1.5, false]])(
    "takes a limit of %d: %s",
    (limit, fits) => {
      expect(Schema.is(catalogue.log.inputSchema)({ path: "a", limit })).toBe(fits)
    }
  )

  it("takes a time without a zone for UTC", () => {
    expect(thereAndBack(catalogue.log.inputSchema, { path: "a", since: "2025-01-31T08:00:00" })).toEqual({
      path: "a",
      since: "2025-01-31T08:00:00.000Z"
    })
  })

  it("reads a time of another zone", () => {
    const { commits: [commit], ...output } = samples["git.log"].output
    const inVienna = { ...output, commits: [{ ...commit, timestamp: "2025-02-01T12:30:00+01:00" }] }
    expect(thereAndBack(catalogue.log.outputSchema, inVienna)).toEqual({ ...output, commits: [commit] })
  })
})
