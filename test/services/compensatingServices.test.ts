import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../src/catalogue/builtIn.js"
import type { NameIn } from "../../src/catalogue/Catalogue.js"
import { OutcomeUnknown } from "../../src/errors/gateway.js"
import { ApprovalRequired } from "../../src/errors/general.js"
import type { OpenTransaction } from "../../src/services/transaction/OpenTransaction.js"
import { linkTo } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import { withLogs } from "../support/logs.js"
import { transactionsOver } from "./compensatingSupport.js"
import { failure, json, mcpGateway, nativeGateway, success, text } from "./support.js"

interface Answers {
  readonly [capability: string]: (input: unknown, call: number) => object
}

/** Transactions of a gateway that answers as told, and what it was asked, in order. */
const gateway = (answers: Answers) =>
  Effect.gen(function*() {
    const asked: Array<readonly [string, unknown]> = []
    const script = nativeGateway((name, input) => {
      const capability = String(name)
      const call = asked.filter(([each]) => each === capability).length
      asked.push([capability, input])
      return answers[capability]?.(input, call) ?? failure({ type: "CapabilityNotFound", message: capability })
    })
    return { ...transactionsOver(yield* linkTo(script)), asked }
  })

const buffered = () => success({ write_id: "w1", buffer_until: "2026-01-01T00:00:00Z", status: "buffered" })

const cancelled = () => success({ cancelled: true, write_id: "w1", status: "cancelled" })

const ok = () => success({ status: "ok" })

const reaction = { channel: "C1", ts: "1.2", reaction: "eyes" }

const job = (id: string, schedule = "0 9 * * *") => ({
  cron_id: id,
  capability: "system.health",
  inputs: null,
  schedule,
  next_run: "2026-01-01T00:00:00Z",
  description: null,
  enabled: true,
  created_at: "2026-01-01T00:00:00Z"
})

const jobs = (...all: ReadonlyArray<object>) => success({ jobs: all, total: all.length })

const created = success({
  cron_id: "c2",
  schedule: "0 9 * * *",
  next_run: "2026-01-01T00:00:00Z",
  capability: "system.health"
})

const schedule = { capability: "system.health", schedule: "0 9 * * *" }

const deleted = (isDeleted = true) => () => success({ deleted: isDeleted, cron_id: "c2" })

const branches = (current: string, ...names: ReadonlyArray<string>) =>
  success({
    branches: names.map((name) => ({ name, is_current: name === current, is_remote: false })),
    current_branch: current
  })

const commitAt = (hash: string) =>
  success({
    commits: [{
      hash,
      short_hash: hash,
      message: "m",
      author_name: "n",
      author_email: "e",
      timestamp: "2026-01-01T00:00:00Z"
    }],
    total_returned: 1,
    branch: "b"
  })

const reportOf = (transaction: OpenTransaction) =>
  Effect.map(transaction.rollback, ({ conflicts, notReversible, rolledBack }) => ({
    rolledBack,
    notReversible,
    conflicts: conflicts.map(({ resource }) => resource)
  }))

const undone = (name: NameIn<BuiltIn>) => ({ rolledBack: [name], notReversible: [], conflicts: [] })

const left = (name: NameIn<BuiltIn>) => ({ rolledBack: [], notReversible: [name], conflicts: [] })

const lost = () => Effect.fail(new OutcomeUnknown({ message: "lost" }))

describe("the compensation of services", () => {
  it.scoped("cancels what is held back", () =>
    Effect.gen(function*() {
      const { asked, begin, step } = yield* gateway({
        "email.send": buffered,
        "email.move": buffered,
        "slack.send": buffered,
        "proxy.cancel_write": cancelled
      })
      const transaction = yield* begin()
      yield* step(transaction, "email.send", { to: "a@example.com" })
      yield* step(transaction, "email.move", { message_id: "m", add_labels: ["l"] })
      yield* step(transaction, "slack.send", { channel: "C", text: "t" })
      assert.deepStrictEqual(
        yield* reportOf(transaction),
        { rolledBack: ["slack.send", "email.move", "email.send"], notReversible: [], conflicts: [] }
      )
      assert.deepStrictEqual(
        asked.slice(3),
        Array.from({ length: 3 }, () => ["proxy.cancel_write", { write_id: "w1" }])
      )
    }))

  it.scoped("says what was sent already, and goes on with the rest", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const { begin, step } = yield* gateway({
          "email.send": buffered,
          "email.delete": buffered,
          "slack.react": ok,
          "slack.remove_react": ok,
          "proxy.cancel_write": (_input, call) =>
            call === 0
              ? failure({ type: "WriteAlreadyExecuted", message: "it is sent" })
              : success({ cancelled: false, write_id: "w1", status: "completed" })
        })
        const transaction = yield* begin()
        yield* step(transaction, "slack.react", reaction)
        yield* step(transaction, "email.send", { to: "a@example.com" })
        yield* step(transaction, "email.delete", { message_id: "m" })
        assert.deepStrictEqual(yield* reportOf(transaction), {
          rolledBack: ["slack.react"],
          notReversible: ["email.delete", "email.send"],
          conflicts: []
        })
        assert.isTrue(logs.some((line) => line.startsWith("WARN") && line.includes("it is sent")))
        assert.isTrue(logs.some((line) => line.startsWith("WARN") && line.includes("completed")))
      })
    ))

  it.scoped("takes reactions back", () =>
    Effect.gen(function*() {
      const { asked, begin, step } = yield* gateway({ "slack.react": ok, "slack.remove_react": ok })
      const transaction = yield* begin()
      yield* step(transaction, "slack.remove_react", reaction)
      assert.deepStrictEqual(yield* reportOf(transaction), undone("slack.remove_react"))
      assert.deepStrictEqual(asked, [["slack.remove_react", reaction], ["slack.react", reaction]])
    }))

  it.scoped("deletes what was scheduled, and says what has run", () =>
    Effect.gen(function*() {
      const { asked, begin, step } = yield* gateway({
        "scheduler.cron_list": () => jobs(job("c1")),
        "scheduler.cron_create": () => created,
        "scheduler.cron_delete": (input) => success({ deleted: at(input, "cron_id") !== "d1", cron_id: "c" }),
        "scheduler.delay": () =>
          success({ delay_id: "d1", capability: "system.health", fires_at: "2026-01-01T00:00:00Z" })
      })
      const first = yield* begin()
      yield* step(first, "scheduler.cron_create", schedule)
      assert.deepStrictEqual(yield* reportOf(first), undone("scheduler.cron_create"))
      assert.deepStrictEqual(asked.at(-1), ["scheduler.cron_delete", { cron_id: "c2" }])

      const nothing = yield* begin()
      yield* Effect.flip(step(nothing, "scheduler.cron_create", schedule, { send: lost }))
      assert.deepStrictEqual(yield* reportOf(nothing), { rolledBack: [], notReversible: [], conflicts: [] })
      const delayed = yield* begin()
      yield* step(delayed, "scheduler.delay", { capability: "system.health", delay_seconds: 0 })
      assert.deepStrictEqual(yield* reportOf(delayed), left("scheduler.delay"))
    }))

  it.scoped("finds the job whose creation was not answered", () =>
    Effect.gen(function*() {
      const { asked, begin, step } = yield* gateway({
        "scheduler.cron_list": (_input, call) =>
          call === 0 ? jobs(job("c1")) : jobs(job("c1"), job("c9", "* * * * *"), job("c2")),
        "scheduler.cron_delete": deleted()
      })
      const transaction = yield* begin()
      yield* Effect.flip(step(transaction, "scheduler.cron_create", schedule, { send: lost }))
      assert.deepStrictEqual(yield* reportOf(transaction), undone("scheduler.cron_create"))
      assert.deepStrictEqual(asked.at(-1), ["scheduler.cron_delete", { cron_id: "c2" }])
    }))

  it.scoped("deletes a branch that it has created, unless something was committed to it, and switches back", () =>
    Effect.gen(function*() {
      const state = { names: ["main"], current: "main", hash: "1" }
      const { begin, step } = yield* gateway({
        "git.log": () => commitAt(state.hash),
        "git.branch": (input) => {
          const name = String(at(input, "name"))
          switch (at(input, "action")) {
            case "create":
              state.names.push(name)
              break
            case "delete":
              state.names = state.names.filter((each) => each !== name)
              break
            case "switch":
              state.current = name
          }
          return branches(state.current, ...state.names)
        }
      })
      const path = "/workspace/repository"
      const transaction = yield* begin()
      yield* step(transaction, "git.branch", { path, action: "list" })
      yield* step(transaction, "git.branch", { path, action: "create", name: "topic" })
      yield* step(transaction, "git.branch", { path, action: "switch", name: "topic" })
      const refused = step(transaction, "git.branch", { path, action: "delete", name: "main" })
      assert.strictEqual((yield* Effect.flip(refused))._tag, "NotReversible")
      assert.deepStrictEqual((yield* reportOf(transaction)).rolledBack, ["git.branch", "git.branch"])
      assert.deepStrictEqual(state, { names: ["main"], current: "main", hash: "1" })

      const changed = yield* begin()
      yield* step(changed, "git.branch", { path, action: "create", name: "topic" })
      state.hash = "2"
      assert.deepStrictEqual((yield* reportOf(changed)).conflicts, [`${path} topic`])
      assert.deepStrictEqual(state.names, ["main", "topic"])
    }))

  it.scoped("says what it cannot know of a step whose answer was lost", () =>
    Effect.gen(function*() {
      const { begin, step } = yield* gateway({})
      const transaction = yield* begin()
      yield* Effect.flip(step(transaction, "email.send", { to: "a@example.com" }, { send: lost }))
      yield* Effect.flip(step(transaction, "slack.react", reaction, { send: lost }))
      assert.deepStrictEqual((yield* reportOf(transaction)).notReversible, ["slack.react", "email.send"])
    }))

  it.scoped("does not take for done what was refused or waits for approval", () =>
    Effect.gen(function*() {
      const { begin, step } = yield* gateway({
        "email.send": () => failure({ type: "WriteFailed", message: "no" }),
        "slack.send": () => failure({ type: "ApprovalPending", message: "wait", context: { request_id: "a" } })
      })
      const transaction = yield* begin()
      yield* Effect.flip(step(transaction, "email.send", { to: "a@example.com" }))
      assert.instanceOf(
        yield* Effect.flip(step(transaction, "slack.send", { channel: "C", text: "t" })),
        ApprovalRequired
      )
      assert.deepStrictEqual(yield* reportOf(transaction), { rolledBack: [], notReversible: [], conflicts: [] })
    }))
})

describe("the compensation of files at a gateway that only speaks MCP", () => {
  const stat = (size: number) => () => json({ exists: true, type: "file", size })

  it.scoped("keeps the bytes of what it overwrites", () =>
    Effect.gen(function*() {
      let content = "AAEC/w=="
      const written: Array<unknown> = []
      const script = mcpGateway({
        call: {
          filesystem__stat: () => stat(Buffer.from(content, "base64").length)(),
          filesystem__read: (input) => at(input, "encoding") === "binary" ? text(content) : undefined,
          filesystem__write: (input) => {
            written.push(input)
            const given = String(at(input, "content"))
            content = at(input, "encoding") === "binary" ? given : Buffer.from(given).toString("base64")
            return json({ path: "/workspace/f", size: 1, checksum: "0".repeat(64) })
          }
        }
      })
      const { begin, step } = transactionsOver(yield* linkTo(script))
      const transaction = yield* begin()
      yield* step(transaction, "filesystem.write", { path: "f", content: "new" })
      assert.deepStrictEqual(yield* reportOf(transaction), undone("filesystem.write"))
      assert.strictEqual(content, "AAEC/w==")
    }))

  it.scoped("does not overwrite what it is not shown whole", () =>
    Effect.gen(function*() {
      let writes = 0
      const script = mcpGateway({
        call: {
          filesystem__stat: stat(300),
          filesystem__read: () => text("AAEC[truncated]"),
          filesystem__write: () => {
            writes++
            return undefined
          }
        }
      })
      const { begin, step } = transactionsOver(yield* linkTo(script))
      const error = yield* Effect.flip(step(yield* begin(), "filesystem.write", { path: "f", content: "new" }))
      assert.strictEqual(error._tag, "NotReversible")
      assert.strictEqual(writes, 0)
    }))
})
