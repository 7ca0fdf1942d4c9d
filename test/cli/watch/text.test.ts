import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Missed from "../../../src/cli/watch/missed.js"
import { makeLine } from "../../../src/cli/watch/text.js"
import { eventTypes, type SupervisionEvent } from "../../../src/local/supervision/SupervisionEvent.js"
import { parameters } from "../../support/runs.js"

const timestamp = DateTime.unsafeMake("2026-01-31T12:00:00.123Z")

const event = (type: string, data: SupervisionEvent["data"], agent: string | null = "builder"): SupervisionEvent => ({
  type,
  timestamp,
  agent,
  data
})

const said = (type: string, data: SupervisionEvent["data"], agent?: string | null) =>
  makeLine()(event(type, data, agent)).slice("2026-01-31T12:00:00.123Z  ".length)

const hostile = "\u001b[2J\u001b]0;title\u0007\u009b31m\r\nid  approved\u202egnp.exe\u2066\u2028\u007f"

describe("an event in the terminal", () => {
  it("says which transaction it belongs to", () => {
    const outer = { transaction_id: "txn-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" }
    const inner = { transaction_id: "txn-99999999-0000", root_transaction_id: outer.transaction_id }
    const lines = [
      said("transaction_started", { timeout_seconds: 60, ...outer }),
      said("capability_result", { capability: "a.b", success: true, duration_ms: 12, ...outer }),
      said("transaction_started", { timeout_seconds: 30, parent: outer.transaction_id, ...inner }),
      said("transaction_ended", { outcome: "committed", steps: 1, parent: "txn-0", duration_ms: 3, ...inner }),
      said("transaction_ended", {
        outcome: "rolled_back",
        reason: "timeout",
        steps: 3,
        rolled_back: 1,
        not_reversible: 1,
        conflicts: 2,
        duration_ms: 60_000,
        ...outer
      }),
      said("transaction_ended", { outcome: "committed", transaction_id: hostile })
    ]
    assert.deepStrictEqual(lines.slice(0, 5), [
      "builder   [0f1e2d3c]  begins     a transaction for 1 min",
      "builder   [0f1e2d3c]  succeeds   a.b in 12 ms",
      "builder   [0f1e2d3c/99999999]  begins     a savepoint for 30 s",
      "builder   [0f1e2d3c/99999999]  commits    a savepoint of 1 step in 3 ms",
      "builder   [0f1e2d3c]  undoes     a transaction of 3 steps in 1 min because: timeout (1 not reversible, 2 in conflict)"
    ])
    assert.match(lines[5] ?? "", /^builder {3}\[[\x20-\x7e…]+\] {2}commits {4}a transaction of 0 steps$/)
  })

  it("says when, who, what and how it ended", () => {
    assert.strictEqual(
      makeLine()(event("capability_invoked", {
        capability: "filesystem.write",
        arguments: { path: "a.txt" },
        permission_tier: "notify",
        duration_ms: 1
      })),
      "2026-01-31T12:00:00.123Z  builder   invokes    filesystem.write (notify) {\"path\":\"a.txt\"}"
    )
    const lines = [
      said("capability_result", { capability: "a.b", success: true, duration_ms: 12.4 }),
      said("capability_result", { capability: "a.b", success: true, duration_ms: 65_432, arguments: { n: 1 } }),
      said("capability_error", { capability: "a.b", error_type: "NotThere", message: "It is gone", duration_ms: 2 }),
      said("policy_violation", { capability: "a.b", rule: "team:a.*", reason: "no", tier: "blocked" }),
      said("approval_requested", { approval_id: "apr-1", capability: "a.b", arguments: {}, reason: "ask first" }),
      said("approval_resolved", { approval_id: "apr-1", decision: "rejected", decided_by: "eve", decided_at: "x" }),
      said("session_started", { session_id: "ses-1", agent_purpose: "builds" }),
      said("session_ended", { session_id: "ses-1", duration_seconds: 3661.2, capabilities_invoked: 1 }),
      said("rate_limit_hit", { capability_pattern: "a.*", limit: 10, window: 60, retry_after_seconds: 5 }),
      said("health_alert", { component: "disk", severity: "warning", message: "95 % used", threshold: 90 }, null),
      said("alert_sent", { alert_id: "alert-1", severity: "critical", title: "Disk", message: "It is full" }),
      said("alert_acknowledged", { alert_id: "alert-1", severity: "info", message: "It is full", by: "eve" }),
      said("agent_paused", { by: "eve" })
    ]
    assert.deepStrictEqual(lines, [
      "builder   succeeds   a.b in 12 ms",
      "builder   succeeds   a.b {\"n\":1} in 1 min 5 s",
      "builder   fails      a.b NotThere: It is gone (2 ms)",
      "builder   denied     a.b by team:a.* because: no",
      "builder   asks       apr-1 a.b {} because: ask first",
      "builder   rejected   apr-1 by eve",
      "builder   connects   ses-1 builds",
      "builder   leaves     ses-1 after 1 h 1 min and 1 invocation",
      "builder   limited    a.* to 10 in 60 s; again in 5 s",
      "-         alert      warning disk 95 % used",
      "builder   alert      critical Disk: It is full",
      "builder   settles    It is full by eve",
      "builder   agent_paused  {\"by\":\"eve\"}"
    ])
  })

  it("lines up with longer names as they come", () => {
    const line = makeLine()
    line(event("session_started", { session_id: "s" }, "a-rather-long-name"))
    assert.include(line(event("session_started", { session_id: "s" }, "a")), "Z  a                   connects   s")
    const longest = line(event("session_started", { session_id: "s" }, "x".repeat(64)))
    assert.include(longest, `Z  ${"x".repeat(64)}  connects`)
  })

  it("is one short line of plain text, whatever is in it", () => {
    const text = FastCheck.oneof(FastCheck.string({ unit: "binary", maxLength: 2000 }), FastCheck.constant(hostile))
    const names = [
      "capability",
      "arguments",
      "reason",
      "decision",
      "message",
      "error_type",
      "session_id",
      "duration_ms"
    ]
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(FastCheck.constantFrom(...eventTypes), text),
        FastCheck.dictionary(
          FastCheck.oneof(FastCheck.constantFrom(...names), text),
          FastCheck.oneof(text, FastCheck.jsonValue(), FastCheck.double())
        ),
        FastCheck.oneof(text, FastCheck.constant(null)),
        (type, data, agent) => {
          const line = makeLine()(event(type, data, agent))
          // eslint-disable-next-line no-control-regex
          assert.notMatch(line, /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
          assert.isBelow(line.length, 10_000)
        }
      ),
      parameters(200)
    )
  })
})

describe("what was missed", () => {
  const behind = (last: string, newest: string | undefined, filter = {}) =>
    Missed.behind(Option.some(last), Option.fromNullable(newest), filter)

  it("is counted where the gateway is the same", () => {
    assert.match(behind("ab-1-10", "ab-1-25"), /^15 events were missed/)
    assert.match(behind("ab-10", "ab-11"), /^1 event was missed/)
    assert.match(behind("ab-10", "ab-25", { agent: "a" }), /^Up to 15 events were missed/)
    for (const newest of ["cd-25", "nonsense", undefined]) {
      assert.match(behind("ab-10", newest), /^The gateway was started/)
    }
  })
})
