import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { Alerts } from "../../../src/local/store/Alerts.js"
import { Inbox } from "../../../src/local/store/Inbox.js"
import { until } from "../../support/deadline.js"
import { serve, type TestGateway } from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"

const invoke = (gateway: TestGateway, capability: string, input: object = {}, key = gateway.key) =>
  Effect.map(
    rpc(gateway, "capabilities.invoke", { capability, arguments: input }, key),
    (answer) => at(answer, "result")
  )

const done = (gateway: TestGateway, capability: string, input: object = {}, key = gateway.key) =>
  Effect.flatMap(invoke(gateway, capability, input, key), (answer) =>
    at(answer, "success") === true
      ? Effect.succeed(at(answer, "data"))
      : Effect.dieMessage(`${capability} answered ${JSON.stringify(answer)}`))

const briefing = (gateway: TestGateway, input: object = {}, key = gateway.key) =>
  Effect.map(done(gateway, "state.briefing.generate", input, key), (output) => at(output, "briefing"))

const now = Effect.map(DateTime.now, DateTime.formatIso)

/** Real time goes on, so that a file that is made now is newer than what was noted before. */
const pass = Effect.sleep("30 millis")

/** Waits until the audit log has everything that was done so far: it writes the last within 50 ms. */
const logged = Effect.sleep("150 millis")

const files = (found: unknown) => ({
  created: at(found, "filesystem_changes", "created_paths"),
  modified: at(found, "filesystem_changes", "modified_paths"),
  deleted: at(found, "filesystem_changes", "deleted_paths")
})

const detailed = (gateway: TestGateway, since: string) => briefing(gateway, { since, detail_level: "detailed" })

describe("state.briefing.generate", () => {
  it.scopedLive("tells which files were created, modified and deleted, by agents and by others", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      const inWorkspace = (name: string) => join(gateway.workspace, name)
      const write = (path: string, content = "x") => done(gateway, "filesystem.write", { path, content })
      const two = yield* gateway.addAgent("two")
      for (const name of ["outside", "read", "appended", "edited", "deleted", "moved", "untouched"]) {
        fs.writeFileSync(inWorkspace(name), `${name}\n`)
      }
      yield* write("rewritten")
      yield* logged
      const since = yield* now
      yield* pass
      fs.writeFileSync(inWorkspace("outside"), "by an editor")
      fs.writeFileSync(inWorkspace("made outside"), "")
      fs.writeFileSync(inWorkspace(".hidden"), "")
      yield* write("rewritten", "again")
      yield* done(gateway, "filesystem.read", { path: "read" })
      yield* write("read", "and written")
      yield* done(gateway, "filesystem.append", { path: "appended", content: "more" })
      yield* done(gateway, "filesystem.append", { path: "appended to nothing", content: "more" })
      yield* done(gateway, "filesystem.edit", {
        path: "edited",
        pattern: "edited",
        replace: "changed",
        expected_replacements: 1
      })
      yield* done(gateway, "filesystem.delete", { path: "deleted" })
      yield* done(gateway, "filesystem.move", { source: "moved", destination: "moved away" })
      yield* done(gateway, "filesystem.write", { path: "by two", content: "2" }, two)
      yield* write("for a moment")
      yield* done(gateway, "filesystem.delete", { path: "for a moment" })
      yield* logged
      const found = yield* detailed(gateway, since)
      const paths = (...names: ReadonlyArray<string>) => names.map((name) => `/workspace/${name}`)
      assert.deepStrictEqual(files(found), {
        created: paths("appended to nothing", "by two", "made outside", "moved away"),
        modified: paths("appended", "edited", "outside", "read", "rewritten"),
        deleted: paths("deleted", "moved")
      })
      assert.deepInclude(at(found, "filesystem_changes"), { created: 4, modified: 5, deleted: 2, complete: true })
      assert.include(textAt(found, "summary"), "Files: 4 created, 5 modified, 2 deleted.")

      const summary = yield* briefing(gateway, { since })
      assert.deepStrictEqual(at(summary, "filesystem_changes"), { created: 4, modified: 5, deleted: 2, complete: true })
      yield* pass
      const later = yield* detailed(gateway, yield* now)
      assert.deepStrictEqual(files(later), { created: [], modified: [], deleted: [] })
      assert.include(textAt(later, "summary"), "No files changed.")
    }))

  it.scopedLive("tells what waits for the agent, and what changed in the state; of others only what is shared", () =>
    Effect.gen(function*() {
      const gateway = yield* serve()
      const two = yield* gateway.addAgent("two")
      const set = (key: string, value: unknown) => done(gateway, "state.persistent.set", { key, value })
      yield* set("before", 1)
      yield* pass
      const since = yield* now
      yield* set("progress", 1)
      yield* set("progress", 2)
      yield* set("removed", 1)
      yield* done(gateway, "state.persistent.delete", { key: "removed" })
      yield* done(gateway, "state.persistent.set", { key: "not yours", value: 1 }, two)
      yield* done(gateway, "state.shared.set", { key: "everybody's", value: 1, expected_version: 0 }, two)
      yield* invoke(gateway, "state.backup.create")
      yield* invoke(gateway, "state.backup.create", { agent: "two" }, two)
      yield* done(gateway, "alerts.send", { message: "look here", severity: "critical", title: "Disk" })
      yield* done(gateway, "alerts.send", { message: "by another", severity: "critical" }, two)
      yield* gateway.inStore(
        Effect.flatMap(Inbox, (inbox) => inbox.deliver({ agent: "agent", from: "two", message: "hi" }))
      )
        .pipe(Effect.orDie)
      yield* logged

      const found = yield* detailed(gateway, since)
      assert.strictEqual(at(found, "since"), since)
      assert.deepInclude(found, { pending_approvals: 1, unread_messages: 1 })
      assert.deepInclude(at(found, "alerts"), { pending: 1, new: 1, critical: 1, warning: 0, info: 0 })
      assert.deepInclude(at(found, "alerts", "alerts", 0), {
        severity: "critical",
        title: "Disk",
        message: "look here"
      })
      assert.deepStrictEqual(at(found, "process_events"), {
        started: 0,
        succeeded: 0,
        failed: 0,
        killed: 0,
        events: []
      })
      assert.include(["healthy", "degraded", "unhealthy"], textAt(found, "health", "status"))
      assert.deepInclude(at(found, "state_changes"), { persistent: 2, shared: 1, restores: 0 })
      assert.deepInclude(at(found, "state_changes", "persistent_keys", 0), {
        key: "removed",
        version: 1,
        deleted: true
      })
      assert.deepInclude(at(found, "state_changes", "persistent_keys", 1), {
        key: "progress",
        version: 2,
        deleted: false
      })
      assert.deepInclude(at(found, "state_changes", "shared_keys", 0), { key: "everybody's", owner_agent: "two" })
      assert.notInclude(JSON.stringify(found), "not yours")
      assert.notInclude(JSON.stringify(found), "by another")
      const lines = textAt(found, "summary").split("\n")
      assert.strictEqual(lines[0], `Since ${since}:`)
      assert.includeMembers(lines, [
        "No files changed.",
        "Your persistent state: 2 keys changed (\"removed\", \"progress\").",
        "The shared state: 1 key changed (\"everybody's\").",
        "1 request of yours for approval waiting.",
        "1 unread message: read with comms.receive.",
        "1 alert nobody acknowledged yet, 1 of them critical."
      ])

      const summary = yield* briefing(gateway, { since })
      assert.strictEqual(textAt(summary, "summary"), textAt(found, "summary"))
      for (const part of ["alerts", "process_events", "health", "state_changes"]) {
        assert.notMatch(JSON.stringify(at(summary, part)), /alerts|events|components|_keys/)
      }
      assert.strictEqual(at(yield* done(gateway, "comms.receive"), "messages", 0, "message"), "hi")
    }))

  it.scopedLive("begins where the session before ended, or with the agent", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      const agent = yield* done(gateway, "agent.whoami")
      assert.strictEqual(at(yield* briefing(gateway), "since"), at(agent, "created_at"))
      const withSession = (session_id: string, capability: string, input: object = {}) =>
        Effect.map(
          rpc(gateway, "capabilities.invoke", { capability, arguments: input, session_id }),
          (answer) => at(answer, "result", "data")
        )
      const first = textAt(yield* rpc(gateway, "session.create", {}), "result", "session_id")
      yield* withSession(first, "filesystem.write", { path: "in the first", content: "" })
      yield* logged
      yield* rpc(gateway, "session.end", { session_id: first })
      yield* pass
      fs.writeFileSync(join(gateway.workspace, "afterwards"), "")
      yield* pass
      const second = textAt(yield* rpc(gateway, "session.create", {}), "result", "session_id")
      const third = textAt(yield* rpc(gateway, "session.create", {}), "result", "session_id")
      yield* rpc(gateway, "session.end", { session_id: third })
      const found = at(yield* withSession(second, "state.briefing.generate", { detail_level: "detailed" }), "briefing")
      const ended = yield* gateway.inStore(Effect.orDie(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT ended_at FROM sessions WHERE session_id = ${first}`)
      )).pipe(Effect.orDie)
      assert.strictEqual(Date.parse(textAt(found, "since")), at(ended, 0, "ended_at"))
      assert.deepStrictEqual(at(found, "filesystem_changes", "created_paths"), ["/workspace/afterwards"])

      // A gateway that was killed ends the session only when it starts again.
      yield* gateway.inStore(Effect.orDie(
        Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`UPDATE sessions SET orphaned = 1, ended_at = ${Date.now()} WHERE session_id = ${first}`
        )
      )).pipe(Effect.orDie)
      yield* pass
      const fourth = textAt(yield* rpc(gateway, "session.create", {}), "result", "session_id")
      const after = at(yield* withSession(fourth, "state.briefing.generate"), "briefing")
      assert.isBelow(Date.parse(textAt(after, "since")), Date.parse(textAt(found, "since")))
    }))

  it.scopedLive("tells a file that was made at the very time, although files are dated by the tick before", () =>
    Effect.gen(function*() {
      const gateway = yield* serve()
      const since = Date.now()
      const path = join(gateway.workspace, "quick.txt")
      fs.writeFileSync(path, "")
      fs.utimesSync(path, new Date(since - 8), new Date(since - 8))
      const found = yield* briefing(gateway, { since: new Date(since).toISOString(), detail_level: "detailed" })
      assert.deepStrictEqual(at(found, "filesystem_changes", "created_paths"), ["/workspace/quick.txt"])
    }))

  it.scopedLive("refuses what is no time, and one that is still to come", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      const future = DateTime.formatIso(DateTime.add(yield* DateTime.now, { hours: 1 }))
      for (const since of ["yesterday", "", "2025-13-01", 12, null, future]) {
        const answer = yield* invoke(gateway, "state.briefing.generate", { since })
        assert.strictEqual(at(answer, "error", "type"), "InvalidTimestamp", String(since))
        assert.strictEqual(at(answer, "error", "recovery", 0, "action"), "fix_format")
      }
      const answer = yield* invoke(gateway, "state.briefing.generate", { detail_level: "all" })
      assert.strictEqual(at(answer, "error", "type"), "InvalidInput")
      for (const since of ["2025-01-31", "1970-01-01T00:00:00Z", "-000001-01-01T00:00:00Z"]) {
        assert.isString(at(yield* briefing(gateway, { since }), "summary"))
      }
    }))

  it.scopedLive("says so where it cannot look at everything", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      const since = yield* now
      yield* pass
      yield* done(gateway, "filesystem.write", { path: "a", content: "" })
      yield* logged
      fs.rmSync(gateway.workspace, { recursive: true })
      const found = yield* briefing(gateway, { since })
      assert.strictEqual(at(found, "health", "status"), "unhealthy")
      assert.strictEqual(at(found, "health", "problems", 0, "name"), "workspace")
      assert.match(textAt(found, "summary"), /health: unhealthy/)
    }))

  it.scopedLive("takes a moment in a small workspace with a long log", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      for (let file = 0; file < 200; file++) fs.writeFileSync(join(gateway.workspace, `${file}`), "")
      for (let read = 0; read < 500; read++) yield* done(gateway, "filesystem.read", { path: `${read % 200}` })
      yield* briefing(gateway)
      let fastest = Infinity
      yield* until(
        "a quick answer",
        Effect.gen(function*() {
          const [duration] = yield* Effect.timed(briefing(gateway, { since: "2025-01-01" }))
          fastest = Math.min(fastest, Duration.toMillis(duration))
          return fastest < 100
        })
      )
    }))

  it.scopedLive("counts all alerts by their severity, also those that are not listed", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      yield* Effect.orDie(gateway.inStore(Effect.gen(function*() {
        const { acknowledge, send } = yield* Alerts
        const settled = yield* send({ agent: gateway.agent, severity: "critical", message: "settled" })
        yield* acknowledge({ agent: gateway.agent, alertId: settled, by: "somebody" })
        yield* send({ agent: gateway.agent, severity: "critical", message: "the disk is full" })
        yield* Effect.replicateEffect(send({ agent: gateway.agent, severity: "info", message: "a step is done" }), 120)
      })))
      const found = yield* briefing(gateway, { detail_level: "detailed" })
      const counts = { pending: 121, new: 121, critical: 1, warning: 0, info: 120 }
      assert.deepInclude(at(found, "alerts"), counts)
      assert.include(textAt(found, "summary"), "121 alerts nobody acknowledged yet, 1 of them critical.")
    }))
})
