import { assert, describe, it } from "@effect/vitest"
import { decided, layerOf, policiesOf, problemsOf } from "./support.js"

const documented = `
name: my-policy
version: "1.0"
defaults: { tier: notify }
capabilities:
  filesystem.*: { tier: autonomous }
  filesystem.delete: { tier: approval_required, reason: "deletion is looked at" }
  filesystem.write:
    rules:
      - condition: { content_size_lt: 10240 }
        tier: autonomous
      - condition: { content_size_gte: 10240 }
        tier: approval_required
        reason: "large writes are looked at"
  email.send:
    tier: notify
    rate_limit: { max: 10, window: 3600, on_exceed: approval_required }
  secrets.*: { tier: blocked, reason: "no secrets here" }
`

describe("the documented forms", () => {
  it("a policy with patterns, conditions and a rate limit", () => {
    const policies = policiesOf({ organization: documented })
    assert.deepInclude(decided(policies, "filesystem.read", { path: "a" }), {
      tier: "autonomous",
      rule: "organization:filesystem.*",
      layer: "organization"
    })
    assert.deepInclude(decided(policies, "filesystem.delete", { path: "a" }), {
      tier: "approval_required",
      rule: "organization:filesystem.delete",
      reason: "deletion is looked at"
    })
    assert.deepInclude(decided(policies, "filesystem.write", { path: "a", content: "x".repeat(10_239) }), {
      tier: "autonomous",
      rule: "organization:filesystem.write[1]"
    })
    assert.deepInclude(decided(policies, "filesystem.write", { path: "a", content: "x".repeat(10_240) }), {
      tier: "approval_required",
      rule: "organization:filesystem.write[2]",
      reason: "large writes are looked at"
    })
    assert.deepInclude(decided(policies, "email.send", { to: "a@example.org" }), {
      tier: "notify",
      rule: "organization:email.send"
    })
    assert.deepInclude(decided(policies, "secrets.use", {}), { tier: "blocked", reason: "no secrets here" })
    assert.deepInclude(decided(policies, "git.push", { path: "a" }), {
      tier: "notify",
      rule: "organization:defaults"
    })
  })

  it("rules that name their capability", () => {
    const policies = policiesOf({
      organization: `
rules:
  - { capability: filesystem.write, tier: approval_required, reason: "outside tmp" }
  - capability: filesystem.write
    tier: autonomous
    conditions: { path_prefix: /workspace/tmp }
  - capability: "*"
    tier: notify
`
    })
    assert.deepInclude(decided(policies, "filesystem.write", { path: "/workspace/tmp/a", content: "" }), {
      tier: "autonomous",
      rule: "organization:filesystem.write[1]"
    })
    assert.deepInclude(decided(policies, "filesystem.write", { path: "/workspace/a", content: "" }), {
      tier: "approval_required",
      reason: "outside tmp"
    })
    assert.deepInclude(decided(policies, "git.push", {}), { tier: "notify", rule: "organization:*" })
  })

  it("an organization with overrides", () => {
    const policies = policiesOf({
      organization: `
defaults: { tier: notify }
overrides:
  - { capability: process.run, tier: approval_required }
  - { capability: "network.*", tier: blocked }
`
    })
    assert.strictEqual(decided(policies, "process.run").tier, "approval_required")
    assert.strictEqual(decided(policies, "network.download").tier, "blocked")
    assert.strictEqual(decided(policies, "system.time").tier, "notify")
  })

  it("an agent that extends a template", () => {
    const policies = policiesOf({
      agent: `
agent: agent
extends: enterprise-restrictive
capabilities:
  filesystem.write: { tier: notify }
`
    })
    assert.deepInclude(decided(policies, "filesystem.append", { path: "a", content: "" }), {
      tier: "approval_required",
      rule: "agent:enterprise-restrictive",
      layer: "agent"
    })
    assert.strictEqual(decided(policies, "filesystem.write", { path: "a", content: "" }).tier, "notify")
    assert.strictEqual(decided(policies, "filesystem.append", { path: "a" }, "other").tier, "notify")
  })

  it("anchors, comments, flow and block style, and a version that is a number", () => {
    const { entries } = layerOf(`
# a comment
version: 1.0
capabilities:
  filesystem.read: &careful { tier: approval_required, reason: "careful" }
  filesystem.stat: *careful
`)
    assert.strictEqual(entries.get("filesystem.stat")?.otherwise?.tier, "approval_required")
    assert.strictEqual(entries.get("filesystem.stat")?.line, 6)
  })
})

describe("a file that is broken says what is wrong, and where", () => {
  it.each<readonly [text: string, ...problems: ReadonlyArray<string>]>([
    ["", "1:1: the file is empty: a policy is a mapping, such as defaults: { tier: notify }"],
    ["# nothing\n", "1:1: the file is empty: a policy is a mapping, such as defaults: { tier: notify }"],
    ["- a\n", "1:1: expected a policy: a mapping of name, version, defaults, capabilities and so on, not a list"],
    ["a: [1,\n", "2:1: Flow sequence in block collection must be sufficiently indented and end with a ]"],
    ["name: a\n\tversion: 1\n", "2:1: Tabs are not allowed as indentation"],
    ["name: a\n---\nname: b\n", "2:1: Source contains multiple documents; please use YAML.parseAllDocuments()"],
    ["name: !!js/function a\n", "1:7: Unresolved tag: tag:yaml.org,2002:js/function"],
    ["name: a\nversion: 1\nname: b\n", "3:1: \"name\" is here a second time in the same mapping"],
    [
      "capabilities:\n  a.b: { tier: notify }\n  a.c: { tier: notify }\n  a.b: { tier: blocked }\n",
      "4:3: \"a.b\" is here a second time in the same mapping"
    ],
    ["capabilites:\n  a.b: { tier: notify }\n", "1:1: unknown key \"capabilites\"; did you mean capabilities?"],
    ["defaults:\n  teir: notify\n", "2:3: unknown key \"teir\"; did you mean tier?", "2:3: tier is missing"],
    [
      "defaults: { tier: notify, zzz: 1 }\n",
      "1:27: unknown key \"zzz\": the keys here are tier, reason"
    ],
    [
      "defaults:\n  tier: aproval_required\n",
      "2:9: expected a tier: autonomous, notify, approval_required or blocked, not \"aproval_required\"; did you mean approval_required?"
    ],
    ["defaults: { tier: 3 }\n", "1:19: expected a tier: autonomous, notify, approval_required or blocked, not 3"],
    ["defaults:\n", "1:1: expected a mapping of tier, not nothing"],
    [
      "extends: team\n",
      "1:10: expected a template: personal-permissive, team-moderate or enterprise-restrictive, not \"team\""
    ],
    [
      "capabilities:\n  filesystem.read: autonomous\n",
      "2:20: expected a mapping of tier, reason, rules and rate_limit, such as { tier: notify }, not \"autonomous\""
    ],
    [
      "capabilities:\n  filesystem.read: {}\n",
      "2:3: nothing is said of filesystem.read: give a tier, rules or a rate_limit"
    ],
    [
      "capabilities:\n  file*: { tier: notify }\n",
      "2:3: \"file*\" is no pattern: a star stands for all that follows a dot, as in filesystem.*, or alone"
    ],
    [
      "rules:\n  - capability: filesystem\n    tier: notify\n",
      "2:17: \"filesystem\" is no pattern: write a capability such as filesystem.read, a category such as filesystem.*, or *"
    ],
    ["rules:\n  - capability: a.b\n", "2:5: tier is missing"],
    ["rules: { a: 1 }\n", "1:8: expected a list of rules, not a mapping"],
    [
      "rules:\n  - { capability: a.b, tier: notify }\n  - { capability: a.b, tier: blocked }\n",
      "3:5: line 2 says already what holds for a.b without a condition"
    ],
    [
      "capabilities:\n  a.b: { tier: notify }\noverrides:\n  - { capability: a.b, tier: blocked }\n",
      "4:5: line 2 says already what holds for a.b without a condition"
    ],
    [
      "capabilities:\n  a.b:\n    rules:\n      - tier: notify\n      - { condition: { content_size_lt: 1 }, tier: blocked }\n",
      "4:9: a rule without a condition is for what is left: it goes last"
    ],
    [
      "capabilities:\n  a.b:\n    rules:\n      - { condition: {}, tier: blocked }\n",
      "4:22: the condition is empty: leave it out, or say when the rule applies"
    ],
    [
      "capabilities:\n  a.b:\n    rules:\n      - condition: { content_size_lt: 5, content_size_gte: 5 }\n        tier: notify\n",
      "4:20: no content is both as large and as small as that"
    ],
    [
      "rules:\n  - capability: a.b\n    tier: notify\n    condition: { content_size_lt: 1 }\n    conditions: { content_size_lt: 2 }\n",
      "5:5: there is a condition already: write all in one"
    ],
    [
      "rules:\n  - capability: a.b\n    tier: notify\n    conditions: { path_prefix: /etc }\n",
      "4:32: \"/etc\" is no path that agents can use: write one below /workspace"
    ],
    [
      "rules:\n  - { capability: a.b, tier: notify, conditions: { content_size_lt: -1 } }\n",
      "2:69: expected a whole number of bytes from 0 to 9007199254740991, not -1"
    ],
    [
      "rules:\n  - { capability: a.b, tier: notify, conditions: { content_size: 1 } }\n",
      "2:52: unknown key \"content_size\"; did you mean content_size_lt?"
    ],
    [
      "capabilities:\n  a.b: { tier: notify, rate_limit: { max: 0, window: 60 } }\n",
      "2:43: expected a whole number of invocations from 1 to 10000, not 0"
    ],
    [
      "capabilities:\n  a.b: { tier: notify, rate_limit: { max: 1, window: 60, on_exceed: notify } }\n",
      "2:69: expected approval_required or blocked, not \"notify\""
    ],
    ["capabilities:\n  a.b: { rate_limit: { window: 60 } }\n", "2:22: max is missing"],
    ["agent: bob\n", "1:1: agent is for the file of one agent: this one is for all"],
    ["capabilities:\n  __proto__: { tier: autonomous }\n", "2:3: \"__proto__\" is no key"]
  ])("%j", (text, ...problems) => {
    assert.deepStrictEqual(problemsOf(text), problems.map((problem) => `policy.yaml:${problem}`))
  })

  it("for the file of another agent", () => {
    assert.deepStrictEqual(problemsOf("extends: team-moderate\nagent: eve\n", "agent", "bob"), [
      "policy.yaml:2:8: by its name this file is for agent bob, not for eve"
    ])
    assert.deepStrictEqual(problemsOf("agent: BOB\n", "agent", "bob"), [])
  })

  it("names all problems, from the top", () => {
    assert.deepStrictEqual(
      problemsOf("extends: x\ndefaults: { tier: y }\ncapabilities: { a.b: { tier: z } }\n").map((text) =>
        text.split(":").slice(1, 3).join(":")
      ),
      ["1:10", "2:19", "3:30"]
    )
  })

  it.each<readonly [string, string, RegExp]>([
    [
      "aliases that grow",
      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n",
      /alias/
    ],
    ["an alias of itself", "capabilities: &a\n  a.b: *a\n", /^policy.yaml:2:8: |^policy.yaml:2:3: unknown key/],
    ["deep lists", "[".repeat(100_000), /nested/],
    ["deep lists in block style", `${"- ".repeat(100_000)}x`, /nested/],
    ["deep mappings", Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"), /./]
  ])("bounds %s", (_name, text, problem) => {
    assert.match(problemsOf(text)[0] ?? "", problem)
  })

  it("takes a megabyte of different keys within seconds", () => {
    const text = `capabilities:\n${
      Array.from({ length: 30_000 }, (_, index) => `  a.b${index}: { tier: notify }`).join("\n")
    }\n`
    assert.deepStrictEqual(problemsOf(text), [])
  }, 15_000)
})
