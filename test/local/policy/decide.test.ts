import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Capability from "../../../src/catalogue/Capability.js"
import { decide } from "../../../src/local/policy/decide.js"
import * as RateCounters from "../../../src/local/policy/RateCounters.js"
import { templateNames } from "../../../src/local/policy/templates.js"
import { unusedPatterns } from "../../../src/local/policy/unusedPatterns.js"
import { visibleRules } from "../../../src/local/policy/visibleRules.js"
import { FilesystemPath } from "../../../src/schema/primitives.js"
import { capabilities, capability, decided, layerOf, policiesOf, type Texts } from "./support.js"

const tierOf = (texts: Texts, name: string, input?: { readonly [name: string]: unknown }) =>
  decided(policiesOf(texts), name, input).tier

describe("templates", () => {
  it.each(
    [
      ["personal-permissive", "autonomous"],
      ["team-moderate", "notify"],
      ["enterprise-restrictive", "approval_required"]
    ] as const
  )("%s makes notify %s, leaves other tiers alone, and blocks email.bulk_delete", (template, notify) => {
    const policies = policiesOf({ template })
    for (const one of capabilities) {
      const expected = one.name === "email.bulk_delete" ? "blocked" : one.tier === "notify" ? notify : one.tier
      assert.strictEqual(decided(policies, one.name).tier, expected, one.name)
      assert.strictEqual(policies.of("agent", one).listedTier, expected, one.name)
    }
    assert.strictEqual(policies.defaultTier("agent"), notify)
  })

  it("say why they ask or refuse", () => {
    assert.deepInclude(decided(policiesOf({}), "filesystem.delete"), {
      rule: "organization:team-moderate",
      reason: "filesystem.delete is approval_required unless a policy says otherwise",
      layer: "organization"
    })
    assert.match(decided(policiesOf({}), "email.bulk_delete").reason ?? "", /names email.bulk_delete/)
  })

  it.each(templateNames)("%s gives way to a pattern that is as specific", (name) => {
    const organization = `extends: ${name}\ncapabilities:\n  email.*: { tier: autonomous }\n`
    assert.strictEqual(tierOf({ organization }, "email.bulk_delete"), "blocked")
    assert.strictEqual(
      tierOf({ organization: `${organization}  email.bulk_delete: { tier: notify }\n` }, "email.bulk_delete"),
      "notify"
    )
  })
})

describe("within a layer", () => {
  const organization = `
defaults: { tier: autonomous }
capabilities:
  "*": { tier: notify }
  state.*: { tier: blocked }
  state.persistent.*: { tier: approval_required }
  state.persistent.get: { tier: autonomous }
`
  it.each([
    ["state.persistent.get", "autonomous"],
    ["state.persistent.set", "approval_required"],
    ["state.shared.get", "blocked"],
    ["filesystem.read", "notify"]
  ])("the most specific pattern holds for %s: %s", (name, tier) => {
    assert.strictEqual(tierOf({ organization }, name), tier)
  })

  it("defaults replace the catalogue's tiers, and the template's", () => {
    assert.strictEqual(tierOf({ organization: "defaults: { tier: autonomous }" }, "filesystem.delete"), "autonomous")
    assert.strictEqual(
      tierOf({ organization: "{ defaults: { tier: blocked }, extends: personal-permissive }" }, "system.time"),
      "blocked"
    )
  })

  it("an organization that is silent about a capability leaves it to the catalogue", () => {
    const silent = "capabilities: { system.time: { tier: notify } }"
    assert.strictEqual(tierOf({ organization: silent }, "filesystem.delete"), "approval_required")
  })

  it("an entry with only a rate limit has the tier that would hold without it", () => {
    const organization = "capabilities: { filesystem.delete: { rate_limit: { max: 1, window: 60 } } }"
    assert.strictEqual(tierOf({ organization }, "filesystem.delete"), "approval_required")
  })
})

describe("of several layers", () => {
  it("the strictest wins, and says so", () => {
    const texts = {
      system: "{ capabilities: { filesystem.read: { tier: approval_required, reason: from above } } }",
      organization: "{ capabilities: { filesystem.*: { tier: autonomous } } }",
      agent: "{ capabilities: { filesystem.read: { tier: notify }, filesystem.write: { tier: blocked } } }"
    }
    assert.deepInclude(decided(policiesOf(texts), "filesystem.read"), {
      tier: "approval_required",
      rule: "system:filesystem.read",
      reason: "from above",
      layer: "system"
    })
    assert.deepInclude(decided(policiesOf(texts), "filesystem.write"), { tier: "blocked", layer: "agent" })
    assert.deepInclude(decided(policiesOf(texts), "filesystem.write", {}, "other"), { tier: "autonomous" })
  })

  it("an agent's own cannot relax what holds for all", () => {
    const agent = "{ defaults: { tier: autonomous }, capabilities: { filesystem.delete: { tier: autonomous } } }"
    assert.strictEqual(tierOf({ agent }, "filesystem.delete"), "approval_required")
  })

  it("an agent is known by its name in any case", () => {
    const policies = policiesOf({ agent: "defaults: { tier: blocked }" })
    assert.strictEqual(decided(policies, "system.time", {}, "AGENT").tier, "blocked")
  })
})

const sized = (tier: string, otherwise: string) => `
capabilities:
  "*":
    tier: ${otherwise}
    rules:
      - { condition: { content_size_lt: 10 }, tier: ${tier} }
`

describe("the size of the content", () => {
  it.each<readonly [string, { readonly [name: string]: unknown }, string]>([
    ["filesystem.write", { path: "a", content: "123456789" }, "autonomous"],
    ["filesystem.write", { path: "a", content: "1234567890" }, "blocked"],
    ["filesystem.write", { path: "a", content: "ééééé" }, "blocked"],
    ["filesystem.write", { path: "a", content: "éééé" }, "autonomous"],
    ["filesystem.write", { path: "a", content: "1234", encoding: "UTF-8" }, "autonomous"],
    ["filesystem.write", { path: "a", content: "1234", encoding: "utf-16le" }, "blocked"],
    ["filesystem.write", { path: "a", content: "1234", encoding: 1 }, "blocked"],
    ["filesystem.write", { path: "a" }, "blocked"],
    ["filesystem.edit", { path: "a", pattern: "x", replace: "y" }, "blocked"],
    ["email.send", { to: "a", body: "12345678" }, "autonomous"],
    ["email.send", { to: "a" }, "blocked"],
    ["comms.send", { to: "a", message: "0123456789" }, "blocked"],
    ["slack.send", { channel: "a", text: "012345678" }, "autonomous"],
    ["state.shared.set", { key: "a", value: [1, 2, 3], expected_version: 0 }, "autonomous"],
    ["state.shared.set", { key: "a", value: [1, 2, 3, 4, 5], expected_version: 0 }, "blocked"]
  ])("of %s with %j lets it be %s", (name, input, tier) => {
    assert.strictEqual(tierOf({ organization: sized("autonomous", "blocked") }, name, input), tier)
  })

  it("counts for a stricter rule where it cannot be told", () => {
    assert.strictEqual(
      tierOf({ organization: sized("blocked", "autonomous") }, "filesystem.read", { path: "a" }),
      "blocked"
    )
  })
})

describe("rules that leave something over", () => {
  it("leave it to the strictest of them and of what holds anyway, unless the entry has a tier", () => {
    const rules = "rules: [{ condition: { content_size_lt: 10 }, tier: autonomous }]"
    const large = { path: "a", content: "0123456789" }
    assert.strictEqual(
      tierOf({ organization: `{ capabilities: { filesystem.write: { ${rules} } } }` }, "filesystem.write", large),
      "notify"
    )
    assert.strictEqual(
      tierOf(
        { organization: `{ defaults: { tier: autonomous }, capabilities: { filesystem.write: { ${rules} } } }` },
        "filesystem.write",
        large
      ),
      "autonomous"
    )
    assert.strictEqual(
      tierOf(
        { organization: `{ capabilities: { filesystem.write: { tier: blocked, ${rules} } } }` },
        "filesystem.write",
        large
      ),
      "blocked"
    )
  })

  it("of those that apply, the strictest counts, whatever their order", () => {
    const rules = [
      "{ condition: { path_prefix: tmp }, tier: autonomous }",
      "{ condition: { content_size_gte: 3 }, tier: approval_required }"
    ]
    for (const order of [rules, rules.toReversed()]) {
      const organization = `{ capabilities: { filesystem.write: { tier: notify, rules: [${order.join()}] } } }`
      const of = (path: string, content: string) => tierOf({ organization }, "filesystem.write", { path, content })
      assert.deepStrictEqual(
        [of("tmp/a", "1"), of("tmp/a", "123"), of("a", "1"), of("a", "123")],
        ["autonomous", "approval_required", "notify", "approval_required"]
      )
    }
  })
})

const open = `
capabilities:
  "*":
    tier: approval_required
    rules:
      - { condition: { path_prefix: /workspace/open }, tier: autonomous }
`

const shut = `
capabilities:
  "*":
    tier: autonomous
    rules:
      - { condition: { path_prefix: /workspace/shut }, tier: blocked }
`

describe("a path prefix", () => {
  it.each([
    "open/a",
    "/workspace/open",
    "/workspace/open/",
    "/workspace//open///a",
    "./open/./a",
    "other/../open/a",
    "/workspace/open/a/../../open/b"
  ])("lets through what is under it: %j", (path) => {
    assert.strictEqual(tierOf({ organization: open }, "filesystem.read", { path }), "autonomous")
  })

  it.each([
    "",
    "a",
    "/workspace",
    "openly/a",
    "/workspace/open/../a",
    "/workspace/open/./../../workspace/a",
    "../workspace/open/a",
    "/workspace/../workspace/open/a",
    "/etc/passwd",
    "/workspaceopen/a",
    "Open/a",
    "OPEN/a",
    "ｏｐｅｎ/a",
    "open\0/a",
    "open\\..\\a",
    "/open/a",
    "//workspace/open/a",
    "\\workspace\\open\\a",
    "open\ud800/a",
    "%6Fpen/a",
    " open/a",
    7,
    ["open/a"],
    null,
    undefined
  ])("asks about what is not, or not for certain: %j", (path) => {
    assert.strictEqual(tierOf({ organization: open }, "filesystem.read", { path }), "approval_required")
  })

  it.each([
    "shut",
    "shut/a",
    "x/../shut/a",
    "SHUT/a",
    "Shut",
    "ｓｈｕｔ/a",
    "/workspace/./shut//a",
    "shuT/../shut",
    7,
    undefined
  ])("keeps out what is under it, or may be: %j", (path) => {
    assert.strictEqual(tierOf({ organization: shut }, "filesystem.read", { path }), "blocked")
  })

  it.each(["a", "shutter", "shut/../a", "", "/workspace"])("does not keep out %j", (path) => {
    const expected = path === "" ? "blocked" : "autonomous"
    assert.strictEqual(tierOf({ organization: shut }, "filesystem.read", { path }), expected)
  })

  it("needs all paths to let through, and one to keep out", () => {
    const copy = (organization: string, source: string, destination: string) =>
      tierOf({ organization }, "filesystem.copy", { source, destination })
    assert.strictEqual(copy(open, "open/a", "open/b"), "autonomous")
    assert.strictEqual(copy(open, "open/a", "b"), "approval_required")
    assert.strictEqual(copy(open, "a", "open/b"), "approval_required")
    assert.strictEqual(copy(shut, "a", "b"), "autonomous")
    assert.strictEqual(copy(shut, "a", "shut/b"), "blocked")
    assert.strictEqual(copy(shut, "shut/a", "b"), "blocked")
  })

  it("keeps out what reaches below a directory, but not what stays in it", () => {
    const of = (name: string, input: { readonly [name: string]: unknown }) =>
      tierOf({ organization: shut }, name, input)
    assert.strictEqual(of("filesystem.search", { path: "/workspace", pattern: "**" }), "blocked")
    assert.strictEqual(of("filesystem.move", { source: "/workspace", destination: "b" }), "blocked")
    assert.strictEqual(of("filesystem.search", { path: "other", pattern: "**" }), "autonomous")
    assert.strictEqual(of("filesystem.list", { path: "/workspace" }), "autonomous")
  })

  it("cannot be told of what has no path, or leaves it out", () => {
    assert.strictEqual(tierOf({ organization: open }, "system.time", {}), "approval_required")
    assert.strictEqual(tierOf({ organization: shut }, "system.time", {}), "blocked")
    assert.strictEqual(tierOf({ organization: open }, "process.run", { command: "ls" }), "approval_required")
    assert.strictEqual(
      tierOf({ organization: open }, "process.run", { command: "ls", working_directory: "open" }),
      "autonomous"
    )
  })

  it("cannot be told of paths that lie deeper in an input", () => {
    const deep = Capability.make("pack.copy_all", {
      tier: "autonomous",
      tags: [],
      inputs: { files: Schema.Array(Schema.Struct({ path: FilesystemPath })), path: FilesystemPath },
      outputs: {},
      errors: {}
    })
    const input = { path: "open/a", files: [{ path: "b" }] }
    const { tier } = decide(
      policiesOf({ organization: open }),
      { agent: "agent", capability: deep, input, now: 0 },
      RateCounters.make()
    )
    assert.strictEqual(tier, "approval_required")
  })
})

describe("lists", () => {
  it("leave out only what is blocked whatever the input, and show the strictest of the rest", () => {
    const policies = policiesOf({ organization: shut, agent: "{ capabilities: { git.*: { tier: blocked } } }" })
    const shown = (name: string) => policies.of("agent", capability(name)).listedTier
    assert.strictEqual(shown("filesystem.read"), "autonomous")
    assert.strictEqual(shown("git.log"), "blocked")
    const asking = policiesOf({ organization: open }).of("agent", capability("filesystem.read"))
    assert.deepInclude(asking, { listedTier: "approval_required", mayRequireApproval: true })
  })

  it("know that a rate limit may lead to a human", () => {
    const policies = policiesOf({
      organization:
        "{ capabilities: { email.send: { tier: notify, rate_limit: { max: 1, window: 9, on_exceed: approval_required } } } }"
    })
    assert.deepInclude(policies.of("agent", capability("email.send")), {
      listedTier: "notify",
      mayRequireApproval: true
    })
  })
})

it("agent.policy shows what a tier depends on", () => {
  const policies = policiesOf({
    organization: `
capabilities:
  filesystem.write:
    tier: notify
    rules:
      - { condition: { content_size_gte: 10, path_prefix: tmp }, tier: approval_required, reason: "large" }
  email.send: { tier: notify, reason: "be kind", rate_limit: { max: 5, window: 60 } }
`
  })
  const rules = visibleRules(policies, "agent", capabilities)
  assert.strictEqual(rules.length, capabilities.length)
  assert.deepStrictEqual(rules.filter(({ capability: name }) => ["filesystem.write", "email.send"].includes(name)), [
    {
      capability: "email.send",
      tier: "notify",
      reason: "be kind",
      rate_limit: { max: 5, window: 60, on_exceed: null }
    },
    {
      capability: "filesystem.write",
      tier: "approval_required",
      reason: "approval_required if the content has 10 bytes or more and all paths are under /workspace/tmp (large)"
    }
  ])
})

it("a pattern that fits nothing is told, with what may be meant", () => {
  const layer = layerOf(
    "capabilities:\n  filesytem.read: { tier: blocked }\n  sate.*: { tier: blocked }\n  state.*: { tier: notify }\n"
  )
  assert.deepStrictEqual(unusedPatterns(layer, capabilities.map(({ name }) => name)), [
    { line: 2, message: "filesytem.read fits no capability; did you mean filesystem.read?" },
    { line: 3, message: "sate.* fits no capability; did you mean state.*?" }
  ])
})
