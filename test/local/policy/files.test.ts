import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import { join } from "node:path"
import type { InvalidPolicy } from "../../../src/local/policy/InvalidPolicy.js"
import { Policy } from "../../../src/local/policy/Policy.js"
import type { PolicyChoice } from "../../../src/local/policy/PolicyChoice.js"
import * as PolicyLayer from "../../../src/local/policy/policyLayer.js"
import { PolicyInterval } from "../../../src/local/policy/PolicySource.js"
import type { Agent } from "../../../src/local/store/Agents.js"
import { until } from "../../support/deadline.js"
import { folders, quietly } from "../../support/gateway.js"
import { withLogs } from "../../support/logs.js"
import { capabilities, capability } from "./support.js"

const interval = { every: Duration.millis(20), settled: Duration.millis(10) }

const agentNamed = (name: string): Agent => ({
  name,
  purpose: "",
  policyGroup: "default",
  workspace: Option.none(),
  status: "active",
  keyGeneration: 1,
  createdAt: DateTime.unsafeMake(0)
})

const makeFolders = Effect.map(folders, ({ dataDirectory, workspace }) => {
  const policies = join(dataDirectory, "policies")
  fs.mkdirSync(join(policies, "agents"), { recursive: true })
  return {
    dataDirectory,
    workspace,
    organization: join(policies, "organization.yaml"),
    system: join(policies, "system.yaml"),
    bob: join(policies, "agents", "bob.yaml"),
    policies
  }
})

type Folders = Effect.Effect.Success<typeof makeFolders>

/** A policy that follows its files, fast. */
const started = ({ dataDirectory, workspace }: Pick<Folders, "dataDirectory" | "workspace">, choice?: PolicyChoice) =>
  Effect.gen(function*() {
    const built = yield* Layer.build(PolicyLayer.layer({ choice, dataDirectory, workspace, capabilities }))
    const service = yield* Effect.provide(Policy, built)
    const decided = (name: string, agent = "bob", input = {}) =>
      service.decide(agentNamed(agent), capability(name), input, 0)
    return {
      service,
      decided,
      becomes: (name: string, tier: string, agent = "bob") =>
        until(`${name} to be ${tier}`, Effect.sync(() => decided(name, agent).tier === tier))
    }
  }).pipe(Effect.provideService(PolicyInterval, interval), quietly)

const refused = (used: Folders, choice?: PolicyChoice): Effect.Effect<InvalidPolicy> =>
  Effect.scoped(Effect.flip(Effect.asVoid(started(used, choice)))).pipe(Effect.orDie)

const tier = (name: string, value: string) => `capabilities:\n  ${name}: { tier: ${value} }\n`

describe("policy files", () => {
  it.scopedLive("make up the layers", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      fs.writeFileSync(used.system, tier("system.time", "blocked"))
      fs.writeFileSync(used.organization, tier("filesystem.*", "autonomous"))
      fs.writeFileSync(used.bob, tier("filesystem.read", "approval_required"))
      fs.writeFileSync(join(used.policies, "README.md"), "not a policy")
      fs.writeFileSync(join(used.policies, "agents", ".bob.yaml.swp"), "not a policy")
      const { decided } = yield* started(used)
      assert.deepInclude(decided("system.time"), { tier: "blocked", layer: "system" })
      assert.deepInclude(decided("filesystem.delete"), { tier: "autonomous", layer: "organization" })
      assert.deepInclude(decided("filesystem.read"), { tier: "approval_required", layer: "agent" })
      assert.strictEqual(decided("filesystem.read", "BOB").tier, "approval_required")
      assert.strictEqual(decided("filesystem.read", "eve").tier, "autonomous")
    }))

  it.scopedLive("need not be there, nor their directory", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      fs.rmSync(used.policies, { recursive: true })
      const { becomes, decided } = yield* started(used)
      assert.deepInclude(decided("filesystem.delete"), {
        tier: "approval_required",
        rule: "organization:team-moderate"
      })
      fs.mkdirSync(join(used.policies, "agents"), { recursive: true })
      fs.writeFileSync(used.bob, tier("system.time", "blocked"))
      yield* becomes("system.time", "blocked")
      assert.strictEqual(decided("system.time", "eve").tier, "autonomous")
    }))

  it.scopedLive("give way, as the organization's, to the one that is named", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      const named = join(used.dataDirectory, "named.txt")
      fs.writeFileSync(used.organization, tier("system.time", "blocked"))
      fs.writeFileSync(used.bob, tier("system.info", "blocked"))
      fs.writeFileSync(named, tier("system.time", "notify"))
      const byFile = yield* started(used, { file: named })
      assert.strictEqual(byFile.decided("system.time").tier, "notify")
      assert.strictEqual(byFile.decided("system.info").tier, "blocked")
      const byTemplate = yield* started(used, "enterprise-restrictive")
      assert.strictEqual(byTemplate.decided("system.time").tier, "autonomous")
      assert.strictEqual(byTemplate.decided("filesystem.write").tier, "approval_required")
      assert.strictEqual((yield* started(used, "allow-all")).decided("email.bulk_delete").tier, "autonomous")
      assert.include(
        (yield* refused(used, { file: join(used.dataDirectory, "none.yaml") })).message,
        "there is no such file"
      )
    }))

  it.scopedLive.each<readonly [string, (used: Folders) => string, RegExp]>([
    ["a broken one", (used) => {
      fs.writeFileSync(used.organization, "defaults:\n  tier: maybe\n")
      return used.organization
    }, /:2:9: expected a tier/],
    ["an empty one", (used) => {
      fs.writeFileSync(used.bob, "")
      return used.bob
    }, /:1:1: the file is empty/],
    ["one of another agent", (used) => {
      fs.writeFileSync(used.bob, "agent: eve\n")
      return used.bob
    }, /:1:8: .*not for eve/],
    ["one that is too large", (used) => {
      fs.writeFileSync(used.system, `#${"x".repeat(1024 * 1024)}\n`)
      return used.system
    }, /: it is larger than 1048576 bytes/],
    ["one that is no text", (used) => {
      fs.writeFileSync(used.system, Buffer.from([0x61, 0x3a, 0xff, 0xfe]))
      return used.system
    }, /: it is no text in UTF-8/],
    ["a directory", (used) => {
      fs.mkdirSync(used.system)
      return used.system
    }, /: it is no file/],
    ["one that would not be found", (used) => {
      const file = used.organization.replace(".yaml", ".yml")
      fs.writeFileSync(file, tier("system.time", "blocked"))
      return file
    }, /: it is not used under this name: call it organization.yaml/],
    ["an agent's that would not be found", (used) => {
      const file = used.bob.replace(".yaml", ".YAML")
      fs.writeFileSync(file, tier("system.time", "blocked"))
      return file
    }, /: it is not used under this name: call it bob.yaml/],
    ["a second one for the same agent", (used) => {
      fs.writeFileSync(used.bob.replace("bob", "Bob"), tier("system.time", "blocked"))
      fs.writeFileSync(used.bob, tier("system.info", "blocked"))
      return used.bob
    }, /Bob.yaml is for the same agent/]
  ])("keep a gateway from starting: %s", ([, write, problem]) =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      const file = write(used)
      const { message, problems } = yield* refused(used)
      assert.strictEqual(problems[0].file, file)
      assert.match(message.slice(file.length), problem)
    }))

  it.scopedLive("say all that is wrong at the start", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      fs.writeFileSync(used.system, "a: 1\n")
      fs.writeFileSync(used.bob, "b: 1\nc: 1\n")
      const { message, problems } = yield* refused(used)
      assert.strictEqual(problems.length, 3)
      assert.match(message, /\(and 2 more\)$/)
    }))

  it.scopedLive("are not taken from where agents could write them", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      const file = join(used.workspace, "policy.yaml")
      fs.writeFileSync(file, tier("system.time", "notify"))
      const link = join(used.dataDirectory, "linked.yaml")
      fs.symlinkSync(file, link)
      assert.include((yield* refused(used, { file })).message, "in the workspace")
      assert.include((yield* refused(used, { file: link })).message, "in the workspace")
      fs.mkdirSync(join(used.workspace, ".kruxos"))
      const kept = join(used.workspace, ".kruxos", "policy.yaml")
      fs.renameSync(file, kept)
      assert.strictEqual((yield* started(used, { file: kept })).decided("system.time").tier, "notify")
    }))
})

describe("while a gateway runs", () => {
  it.scopedLive("its policy follows files that change, appear, are replaced and vanish", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      const { becomes } = yield* started(used)
      fs.writeFileSync(used.organization, tier("system.time", "notify"))
      yield* becomes("system.time", "notify")
      fs.writeFileSync(used.organization, tier("system.time", "blocked"))
      yield* becomes("system.time", "blocked")
      // As editors do it.
      fs.writeFileSync(`${used.organization}~`, tier("system.time", "approval_required"))
      fs.renameSync(`${used.organization}~`, used.organization)
      yield* becomes("system.time", "approval_required")
      fs.rmSync(used.organization)
      yield* becomes("system.time", "autonomous")
      fs.writeFileSync(used.bob, tier("system.time", "blocked"))
      yield* becomes("system.time", "blocked")
      fs.rmSync(used.policies, { recursive: true })
      yield* becomes("system.time", "autonomous")
    }))

  it.scopedLive("a file of the same length and age is still seen to be another", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      const past = new Date(1_000_000_000_000)
      fs.writeFileSync(used.organization, "defaults: { tier: blocked }\n")
      fs.utimesSync(used.organization, past, past)
      const { becomes } = yield* started(used)
      fs.writeFileSync(used.organization, "defaults: { tier: notify }\n\n")
      fs.utimesSync(used.organization, past, past)
      yield* becomes("system.time", "notify")
    }))

  it.scopedLive("a file that breaks changes nothing, and is logged once, with the place", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const used = yield* makeFolders
        fs.writeFileSync(used.organization, tier("system.time", "blocked"))
        const { becomes, decided } = yield* started(used)
        fs.writeFileSync(used.organization, "capabilities:\n  system.time: { tier: alowed }\n")
        const complaints = () => logs.filter((line) => line.includes(`${used.organization}:2:24: expected a tier`))
        yield* until("the complaint", Effect.sync(() => complaints().length > 0))
        yield* Effect.sleep("100 millis")
        assert.strictEqual(complaints().length, 1)
        assert.include(complaints()[0] ?? "", "what it said before stays in force")
        assert.strictEqual(decided("system.time").tier, "blocked")

        fs.writeFileSync(used.organization, "")
        yield* until("the next one", Effect.sync(() => logs.some((line) => line.includes("the file is empty"))))
        assert.strictEqual(decided("system.time").tier, "blocked")

        fs.writeFileSync(used.organization, tier("system.time", "notify"))
        yield* becomes("system.time", "notify")
      })
    ))

  it.scopedLive("a named file that vanishes goes on holding", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const used = yield* makeFolders
        const file = join(used.dataDirectory, "named.yaml")
        fs.writeFileSync(file, tier("system.time", "blocked"))
        const { becomes, decided } = yield* started(used, { file })
        fs.rmSync(file)
        yield* until("the complaint", Effect.sync(() => logs.some((line) => line.includes("there is no such file"))))
        assert.strictEqual(decided("system.time").tier, "blocked")
        fs.writeFileSync(file, tier("system.time", "notify"))
        yield* becomes("system.time", "notify")
      })
    ))

  it.scopedLive("a pattern that fits no capability is warned of", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const used = yield* makeFolders
        fs.writeFileSync(used.system, tier("filesytem.read", "blocked"))
        yield* started(used)
        assert.isTrue(logs.some((line) => line.includes(`${used.system}:2: filesytem.read fits no capability`)))
      })
    ))

  it.scopedLive("an agent is told when what lists show it has changed, and only then", () =>
    Effect.gen(function*() {
      const used = yield* makeFolders
      const { becomes, service } = yield* started(used)
      const told = { bob: 0, eve: 0 }
      yield* service.onChange(agentNamed("bob"), () => void told.bob++)
      yield* service.onChange(agentNamed("eve"), () => void told.eve++)
      fs.writeFileSync(used.bob, tier("system.time", "blocked"))
      yield* becomes("system.time", "blocked")
      yield* until("bob to be told", Effect.sync(() => told.bob === 1))
      fs.writeFileSync(used.bob, `name: renamed\n${tier("system.time", "blocked")}`)
      fs.writeFileSync(used.organization, tier("system.info", "blocked"))
      yield* becomes("system.info", "blocked")
      yield* until("both to be told", Effect.sync(() => told.bob === 2 && told.eve === 1))
      yield* Effect.sleep("50 millis")
      assert.deepStrictEqual(told, { bob: 2, eve: 1 })
    }))
})
