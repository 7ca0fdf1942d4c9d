import { assert, describe, it } from "@effect/vitest"
import { complaint, page } from "../../../src/cli/status/page.js"
import type { Overview } from "../../../src/cli/status/views.js"
import { timeText } from "../../../src/cli/timeText.js"

const overview: Overview = {
  status: {
    gateway: {
      name: "kruxos-gateway",
      version: "1.2.3",
      started_at: "2026-01-31T12:00:00Z",
      uptime_seconds: 3723,
      policy: "team-moderate"
    },
    agents: { active: 1, paused: 1, revoked: 1 },
    sessions: { open: 2 },
    approvals: { pending: 3 }
  },
  health: {
    status: "degraded",
    components: [
      { name: "store", status: "healthy", message: "The store answers" },
      { name: "disk", status: "degraded", message: "4 % free\u001b[2J" },
      { name: "clock", status: "unhealthy", message: null }
    ]
  },
  agents: [
    {
      name: "builder",
      purpose: "builds",
      status: "active",
      open_sessions: 2,
      pending_approvals: 3,
      last_active_at: "2026-01-31T12:00:01Z"
    },
    { name: "old", purpose: "", status: "revoked", open_sessions: 0, pending_approvals: 0, last_active_at: null },
    { name: "tester", purpose: "", status: "paused", open_sessions: 0, pending_approvals: 0, last_active_at: null }
  ]
}

describe("the status of a gateway", () => {
  it("is a page", () => {
    assert.deepStrictEqual(page("http://127.0.0.1:7700/api", overview).split("\n"), [
      "Gateway:    kruxos-gateway 1.2.3 at http://127.0.0.1:7700",
      "Up:         1 h 2 min, since 2026-01-31T12:00:00Z",
      "Policy:     team-moderate",
      "Health:     degraded",
      "Agents:     1 active, 1 paused, 1 revoked",
      "Sessions:   2 open",
      "Approvals:  3 wait: `kruxos approvals list` shows them",
      "",
      "COMPONENT  HEALTH     MESSAGE",
      "store      healthy    The store answers",
      "disk       degraded   4 % free\\x1b[2J",
      "clock      unhealthy",
      "",
      "AGENT    STATUS  SESSIONS  APPROVALS  LAST ACTIVE           PURPOSE",
      "builder  active  2         3          2026-01-31T12:00:01Z  builds",
      "tester   paused  0         0          -"
    ])
  })

  it("says in a line what is wrong", () => {
    assert.strictEqual(
      complaint(overview),
      "The gateway is degraded: disk is degraded (4 % free\\x1b[2J), clock is unhealthy"
    )
    assert.strictEqual(
      complaint({ ...overview, health: { status: "unhealthy", components: [] } }),
      "The gateway is unhealthy"
    )
  })
})

describe("a length of time", () => {
  it("has at most two units", () => {
    const texts = [0, 0.0123, 0.9, 1, 9.04, 59.9, 59.96, 61, 3600, 3661, 86_400, 90_061, 1e7, -1, NaN].map(timeText)
    assert.deepStrictEqual(texts, [
      "0 ms",
      "12 ms",
      "900 ms",
      "1 s",
      "9 s",
      "59.9 s",
      "1 min",
      "1 min 1 s",
      "1 h",
      "1 h 1 min",
      "1 d",
      "1 d 1 h",
      "115 d 17 h",
      "0 ms",
      "0 ms"
    ])
  })
})
