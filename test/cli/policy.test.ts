import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import { at, textAt } from "../support/json.js"
import { type Folders, folders, type GatewayProcess, kruxos, startGateway } from "./kruxos.js"

const good = `capabilities:
  filesystem.*: { tier: autonomous }
  filesystem.write:
    rules:
      - { condition: { content_size_lt: 10 }, tier: autonomous }
      - { condition: { content_size_gte: 10 }, tier: approval_required, reason: "large" }
  email.send: { tier: notify, rate_limit: { max: 10, window: 60 } }
`

const write = ({ dataDirectory }: Folders, name: string, text: string): string => {
  const file = join(dataDirectory, name)
  fs.mkdirSync(join(file, ".."), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}

const invoke = ({ env }: GatewayProcess, capability: string, input: object) =>
  kruxos(["invoke", capability, JSON.stringify(input)], { env })

describe("kruxos policy check", () => {
  it.scopedLive(
    "says that a file is good and what it has, or each problem with its place",
    () =>
      Effect.gen(function*() {
        const used = yield* folders
        const fine = write(used, "good.yaml", good)
        const bad = write(
          used,
          "bad.yaml",
          "defaults: { tier: never }\nrulez: []\ncapabilities:\n  file*: { tier: notify }\n"
        )
        const slip = write(used, "slip.yaml", "agent: bob\ncapabilities:\n  filesytem.read: { tier: notify }\n")
        const others = write(used, join("agents", "bob.yaml"), "agent: eve\n")
        const [ok, broken, warned, wrong, missing] = yield* Effect.all([
          kruxos(["policy", "check", fine]),
          kruxos(["policy", "check", bad]),
          kruxos(["policy", "check", slip]),
          kruxos(["policy", "check", others]),
          kruxos(["policy", "check", join(used.dataDirectory, "none.yaml")])
        ], { concurrency: 2 })
        assert.deepInclude(ok, {
          code: 0,
          stderr: "",
          stdout: `${fine}: ok: 3 patterns, 2 rules with a condition, 1 rate limit\n`
        })
        assert.deepInclude(broken, { code: 1, stdout: "" })
        const lines = broken.stderr.trimEnd().split("\n")
        assert.deepStrictEqual(lines.map((line) => line.split(" ")[0]), [
          `${bad}:1:19:`,
          `${bad}:2:1:`
        ])
        assert.include(lines[1] ?? "", "did you mean rules?")
        assert.strictEqual(warned.code, 0)
        assert.include(
          warned.stderr,
          `${slip}:3: warning: filesytem.read fits no capability; did you mean filesystem.read?`
        )
        assert.include(wrong.stderr, `${others}:1:8: by its name this file is for agent bob, not for eve`)
        assert.deepInclude(missing, {
          code: 1,
          stderr: `${join(used.dataDirectory, "none.yaml")}: there is no such file\n`
        })
      }),
    30_000
  )
})

describe("kruxos policy explain", () => {
  it.scopedLive("says the tier, the rule, and what each layer says", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const file = write(used, join("policies", "organization.yaml"), good)
      const own = write(
        used,
        join("policies", "agents", "bob.yaml"),
        "capabilities:\n  git.*: { tier: blocked, reason: no git }\n"
      )
      const explain = (capability: string, ...rest: ReadonlyArray<string>) =>
        kruxos([
          "policy",
          "explain",
          "--agent",
          "bob",
          "--capability",
          capability,
          "--data",
          used.dataDirectory,
          ...rest
        ])
      const input = JSON.stringify({ path: "a", content: "0123456789" })
      const [large, asJson, git, template, unknown, badInput] = yield* Effect.all([
        explain("filesystem.write", "--input", input),
        explain("filesystem.write", "--input", JSON.stringify({ path: "a", content: "0" }), "--json"),
        explain("git.log"),
        explain("filesystem.append", "--policy", "enterprise-restrictive"),
        explain("filesystem.wirte"),
        explain("filesystem.write", "--input", "[]")
      ], { concurrency: 2 })
      assert.strictEqual(large.code, 0, large.stderr)
      assert.deepStrictEqual(large.stdout.split("\n").slice(0, 3), [
        "Tier:   approval_required",
        "Rule:   organization:filesystem.write[2]",
        "Reason: large"
      ])
      assert.match(large.stdout, new RegExp(`^organization +approval_required +\\S+ +- +${file}:6 +large$`, "m"))
      assert.match(large.stdout, new RegExp(`^agent +- +- +- +${own} +-$`, "m"))
      const json = JSON.parse(asJson.stdout)
      assert.deepInclude(json, { tier: "autonomous", rule: "organization:filesystem.write[1]", layer: "organization" })
      assert.deepInclude(at(json, "layers", 0), { layer: "organization", file, line: 5 })
      assert.include(git.stdout, "Tier:   blocked\nRule:   agent:git.*\nReason: no git\n")
      assert.include(template.stdout, "Rule:   organization:enterprise-restrictive\n")
      assert.deepInclude(unknown, {
        code: 1,
        stderr: "There is no capability filesystem.wirte; did you mean filesystem.write?\n"
      })
      assert.strictEqual(badInput.code, 2)
      assert.include(badInput.stderr, "JSON object")
    }), 40_000)
})

describe("kruxos gateway --policy", () => {
  it.scopedLive("takes a template or a file, and not together with --allow-all", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const file = write(used, "mine.yaml", "capabilities:\n  system.time: { tier: blocked, reason: timeless }\n")
      const gateway = yield* startGateway(["--policy", file], used)
      const time = yield* invoke(gateway, "system.time", {})
      assert.strictEqual(time.code, 1)
      assert.include(time.stderr, "PolicyDenied: The policy does not allow system.time: timeless")
      const strict = yield* startGateway(["--policy", "enterprise-restrictive"])
      const written = yield* invoke(strict, "filesystem.write", { path: "a", content: "" })
      assert.strictEqual(written.code, 3, written.stderr)
      const where = ["gateway", "--workspace", used.workspace, "--data", ":memory:", "--port", "0"]
      const both = yield* kruxos([...where, "--policy", file, "--allow-all"])
      assert.strictEqual(both.code, 2)
      assert.include(both.stderr, "not both")
    }), 40_000)

  it.scopedLive("does not start with a broken one, and says where in one line", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const file = write(used, join("policies", "organization.yaml"), "defaults: { tier: never }\nrulez: []\n")
      const { code, stderr, stdout } = yield* kruxos([
        "gateway",
        "--workspace",
        used.workspace,
        "--data",
        used.dataDirectory,
        "--port",
        "0"
      ])
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /^[^\n]+\n$/)
      assert.isTrue(stderr.startsWith(`${file}:1:19: expected a tier`), stderr)
      assert.include(stderr, "(and 1 more)")
    }), 20_000)
})

describe("kruxos agent pause and resume", () => {
  it.scopedLive("let an agent invoke nothing, and again, while it stays connected", () =>
    Effect.gen(function*() {
      const gateway = yield* startGateway()
      const agent = (...args: ReadonlyArray<string>) => kruxos(["agent", ...args, "--data", gateway.dataDirectory])
      const paused = yield* agent("pause", "--name", "agent")
      assert.strictEqual(paused.code, 0, paused.stderr)
      assert.include(paused.stdout, "agent is paused")
      yield* until(
        "the agent to be paused",
        Effect.map(invoke(gateway, "system.time", {}), ({ stderr }) => stderr.startsWith("SessionPaused: "))
      )
      assert.strictEqual((yield* kruxos(["capabilities"], { env: gateway.env })).code, 0)
      const listed = JSON.parse((yield* agent("list", "--json")).stdout)
      assert.strictEqual(textAt(listed, 0, "status"), "paused")
      assert.strictEqual((yield* agent("resume", "--name", "agent")).code, 0)
      yield* until(
        "the agent to go on",
        Effect.map(invoke(gateway, "system.time", {}), ({ code }) => code === 0)
      )
      assert.include((yield* agent("pause", "--name", "nobody")).stderr, "no agent named nobody")
    }), 40_000)
})
