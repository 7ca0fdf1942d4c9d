import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type { Fact } from "../../../src/local/audit/chain.js"
import { type About, type Details, fact, type Kind } from "../../../src/local/audit/facts.js"
import { activityOf, eventOf } from "../../../src/local/supervision/eventOf.js"
import { encode } from "../../../src/local/supervision/Ring.js"
import { SupervisionEvent } from "../../../src/local/supervision/SupervisionEvent.js"
import { parameters } from "../../support/runs.js"

const at = 1_700_000_000_123

const about: About = {
  agent: "agent",
  sessionId: "ses-1",
  capability: "filesystem.write",
  tier: "notify",
  rule: "catalogue:filesystem.write"
}

const written = JSON.stringify({ path: "a.txt" })

const told = (kind: Kind, details: Details, more: About = {}, recorded?: string) =>
  eventOf(fact(at, kind, { ...about, ...more }, details, recorded))

const plain = { capability: "filesystem.write" }

describe("the event of an entry", () => {
  it("has the envelope", () => {
    assert.deepStrictEqual(told("invocation_started", {}, {}, written), {
      type: "capability_invoked",
      timestamp: DateTime.unsafeMake(at),
      agent: "agent",
      session_id: "ses-1",
      data: { ...plain, arguments: { path: "a.txt" }, permission_tier: "notify", duration_ms: 0 }
    })
    assert.notProperty(eventOf(fact(at, "approval_decided", { agent: "agent" }, {})), "session_id")
    assert.isNull(eventOf(fact(at, "entries_lost", {}, { count: 3 })).agent)
  })

  it("has the data of its type", () => {
    const approval = { approvalId: "apr-1" }
    const cases: ReadonlyArray<readonly [event: SupervisionEvent, type: string, data: object]> = [
      [told("invocation_started", { queued_ms: 7 }, approval, written), "capability_invoked", {
        ...plain,
        arguments: { path: "a.txt" },
        permission_tier: "notify",
        duration_ms: 7,
        approval_id: "apr-1"
      }],
      [told("invocation_ended", { invocation: 1, outcome: "success", duration_ms: 12 }), "capability_result", {
        ...plain,
        success: true,
        duration_ms: 12
      }],
      [
        told("invocation_ended", {
          outcome: "error",
          error: "CapabilityUnavailable",
          error_type: "HealthCheckError",
          message: "It does not work",
          duration_ms: 3
        }),
        "capability_error",
        { ...plain, error_type: "HealthCheckError", message: "It does not work", tier: "notify", duration_ms: 3 }
      ],
      [told("invocation_ended", { outcome: "interrupted", duration_ms: 3 }), "capability_error", {
        ...plain,
        error_type: "Interrupted",
        message: "It was stopped before it ended",
        tier: "notify",
        duration_ms: 3
      }],
      [told("invocation_ended", { outcome: "error", error: "defect", duration_ms: 3 }), "capability_error", {
        ...plain,
        error_type: "InternalError",
        message: "The gateway failed; its log says how",
        tier: "notify",
        duration_ms: 3
      }],
      [told("invocation", { outcome: "success", duration_ms: 1 }, {}, written), "capability_result", {
        ...plain,
        success: true,
        duration_ms: 1,
        arguments: { path: "a.txt" },
        permission_tier: "notify"
      }],
      [
        told("invocation", { outcome: "error", error: "FileNotFound", message: "No", duration_ms: 1 }, {}, written),
        "capability_error",
        {
          ...plain,
          error_type: "FileNotFound",
          message: "No",
          tier: "notify",
          duration_ms: 1,
          arguments: { path: "a.txt" },
          permission_tier: "notify"
        }
      ],
      [told("invocation_answered", { outcome: "success" }), "capability_result", {
        ...plain,
        success: true,
        duration_ms: 0,
        answered: true
      }],
      [
        told("refused", { outcome: "error", error: "InvalidInput", message: "No" }, { tier: undefined }, "[1]"),
        "capability_error",
        { ...plain, error_type: "InvalidInput", message: "No", tier: null, arguments: [1], permission_tier: null }
      ],
      [
        told(
          "refused",
          { outcome: "error", error: "PolicyDenied", message: "No", reason: "not here" },
          { tier: "blocked", rule: "organization:filesystem.*" },
          written
        ),
        "policy_violation",
        {
          ...plain,
          rule: "organization:filesystem.*",
          reason: "not here",
          tier: "blocked",
          arguments: { path: "a.txt" }
        }
      ],
      [
        told(
          "refused",
          { outcome: "error", error: "RateLimited", limit: 5, window_seconds: 60, retry_after_seconds: 1.5 },
          { tier: "blocked", rule: "organization:filesystem.*.rate_limit" },
          "{}"
        ),
        "rate_limit_hit",
        {
          ...plain,
          capability_pattern: "filesystem.*",
          limit: 5,
          window: 60,
          retry_after_seconds: 1.5,
          rule: "organization:filesystem.*.rate_limit",
          arguments: {}
        }
      ],
      [told("approval_requested", { reason: "look first" }, approval, written), "approval_requested", {
        ...plain,
        approval_id: "apr-1",
        arguments: { path: "a.txt" },
        reason: "look first",
        rule: "catalogue:filesystem.write"
      }],
      [told("approval_decided", { decision: "rejected", by: "alice", reason: "no" }, approval), "approval_resolved", {
        ...plain,
        approval_id: "apr-1",
        decision: "rejected",
        decided_by: "alice",
        decided_at: "2023-11-14T22:13:20.123Z",
        reason: "no"
      }],
      [
        told("approval_carried_out", { outcome: "success", duration_ms: 4 }, approval),
        "capability_result",
        { ...plain, success: true, duration_ms: 4, approval_id: "apr-1" }
      ],
      [
        told("approval_carried_out", { outcome: "error", error: "DiskFull", message: "No", duration_ms: 4 }, approval),
        "capability_error",
        { ...plain, error_type: "DiskFull", message: "No", tier: "notify", duration_ms: 4, approval_id: "apr-1" }
      ],
      [eventOf(fact(at, "agent_paused", { agent: "agent" }, { by: "alice" })), "agent_paused", { by: "alice" }],
      [eventOf(fact(at, "entries_lost", {}, { count: 3, from: 1, to: 2 })), "entries_lost", {
        count: 3,
        from: 1,
        to: 2
      }]
    ]
    for (const [event, type, data] of cases) {
      assert.strictEqual(event.type, type)
      assert.deepStrictEqual(event.data, data)
    }
  })

  it("can be made and sent of whatever an entry holds", () => {
    const text = FastCheck.option(FastCheck.string())
    const anyFact: FastCheck.Arbitrary<Fact> = FastCheck.record({
      at: FastCheck.maxSafeInteger(),
      kind: FastCheck.oneof(
        FastCheck.string(),
        FastCheck.constantFrom("invocation", "invocation_started", "invocation_ended", "refused", "approval_decided")
      ),
      agent: text,
      sessionId: text,
      capability: text,
      tier: text,
      rule: text,
      approvalId: text,
      idempotencyKey: text,
      details: FastCheck.oneof(FastCheck.string(), FastCheck.json())
    })
    const bySchema = Schema.encodeSync(SupervisionEvent)
    FastCheck.assert(
      FastCheck.property(anyFact, (one) => {
        const event = eventOf(one)
        const json = encode(event)
        assert.notInclude(json, "\n")
        assert.strictEqual(json, JSON.stringify(bySchema(event)))
      }),
      parameters(2000)
    )
  })

  it("is shown with the number of its entry", () => {
    const entry = {
      ...fact(at, "agent_created", { agent: "agent" }, {}),
      sequence: 9,
      hash: "",
      previousHash: ""
    }
    assert.deepStrictEqual(activityOf(entry), {
      sequence: 9,
      event: { type: "agent_created", timestamp: DateTime.unsafeMake(at), agent: "agent", data: {} }
    })
  })
})
