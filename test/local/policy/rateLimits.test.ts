import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { fromSource } from "../../../src/local/policy/policyLayer.js"
import * as RateCounters from "../../../src/local/policy/RateCounters.js"
import type { Agent } from "../../../src/local/store/Agents.js"
import { parameters } from "../../support/runs.js"
import { capabilities, capability, policiesOf, type Texts } from "./support.js"

const agentNamed = (name: string): Agent => ({
  name,
  purpose: "",
  policyGroup: "default",
  workspace: Option.none(),
  status: "active",
  keyGeneration: 1,
  createdAt: DateTime.unsafeMake(0)
})

/** Invokes as the core does: what passes is counted. */
const invoker = (texts: Texts) =>
  Effect.sync(() => {
    const policies = policiesOf(texts)
    const service = fromSource({ current: () => policies, onReload: () => Effect.void }, capabilities)
    return (name: string, agent = "agent") =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const decision = service.decide(agentNamed(agent), capability(name), {}, now)
        if (decision.tier === "autonomous" || decision.tier === "notify") {
          service.count(agentNamed(agent), capability(name), now)
        }
        return decision
      })
  })

const limited = (limit: string, tier = "notify") =>
  `{ capabilities: { email.send: { tier: ${tier}, rate_limit: ${limit} } } }`

describe("a rate limit", () => {
  it.effect("lets so many through in any window, and says when the next one may go", () =>
    Effect.gen(function*() {
      const invoke = yield* invoker({ organization: limited("{ max: 2, window: 60 }") })
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
      const refused = {
        tier: "blocked",
        rule: "organization:email.send.rate_limit",
        reason: "more than 2 in 60 seconds",
        layer: "organization"
      } as const
      assert.deepStrictEqual(yield* invoke("email.send"), {
        ...refused,
        exceeded: { limit: 2, windowSeconds: 60, retryAfterMillis: 40_000 }
      })
      yield* TestClock.adjust("39999 millis")
      assert.deepStrictEqual(yield* invoke("email.send"), {
        ...refused,
        exceeded: { limit: 2, windowSeconds: 60, retryAfterMillis: 1 }
      })
      yield* TestClock.adjust("1 millis")
      // What was refused did not count.
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
      assert.deepInclude((yield* invoke("email.send")).exceeded, { retryAfterMillis: 20_000 })
    }))

  it.effect("asks a human for what exceeds it, where it says so", () =>
    Effect.gen(function*() {
      const invoke = yield* invoker({ organization: limited("{ max: 1, window: 60, on_exceed: approval_required }") })
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
      assert.deepInclude(yield* invoke("email.send"), {
        tier: "approval_required",
        rule: "organization:email.send.rate_limit",
        reason: "more than 1 in 60 seconds"
      })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
    }))

  it.effect("is each agent's own, and each rule's", () =>
    Effect.gen(function*() {
      const invoke = yield* invoker({
        organization:
          "{ capabilities: { email.*: { tier: notify, rate_limit: { max: 1, window: 60 } }, email.send: { tier: notify } } }"
      })
      assert.strictEqual((yield* invoke("email.draft")).tier, "notify")
      assert.isDefined((yield* invoke("email.search")).exceeded)
      assert.strictEqual((yield* invoke("email.draft", "other")).tier, "notify")
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
    }))

  it.effect("of every layer applies: the longest wait, and the strictest", () =>
    Effect.gen(function*() {
      const invoke = yield* invoker({
        system: limited("{ max: 3, window: 3600 }"),
        organization: limited("{ max: 1, window: 10, on_exceed: approval_required }"),
        agent: limited("{ max: 2, window: 60 }")
      })
      const expected = ["notify", "approval_required"]
      for (const tier of expected) assert.strictEqual((yield* invoke("email.send")).tier, tier)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
      assert.deepInclude(yield* invoke("email.send"), { rule: "agent:email.send.rate_limit" })
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* invoke("email.send")).tier, "notify")
      assert.deepInclude(yield* invoke("email.send"), { rule: "system:email.send.rate_limit" })
    }))

  it.effect("is nothing beside a refusal", () =>
    Effect.gen(function*() {
      const invoke = yield* invoker({
        organization: limited("{ max: 1, window: 60 }"),
        agent: "{ capabilities: { email.send: { tier: blocked, reason: never } } }"
      })
      assert.deepInclude(yield* invoke("email.send"), { tier: "blocked", reason: "never" })
      assert.isUndefined((yield* invoke("email.send")).exceeded)
    }))

  it("never lets more through than its maximum, in any window", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 200 }),
        FastCheck.integer({ min: 1, max: 20 }),
        FastCheck.array(FastCheck.integer({ min: 0, max: 5000 }), { maxLength: 600 }),
        (max, windowSeconds, pauses) => {
          const counters = RateCounters.make()
          const limit = { rule: "r", max, windowSeconds, onExceed: undefined, line: 0 }
          const passed: Array<number> = []
          let now = 0
          for (const pause of pauses) {
            now += pause
            const until = counters.fullUntil("a", limit)
            const since = passed.filter((time) => time > now - windowSeconds * 1000).length
            assert.strictEqual(until === undefined || until <= now, since < max)
            if (since < max) {
              counters.count("a", limit, now)
              passed.push(now)
            }
          }
        }
      ),
      parameters(300)
    )
  })

  it("keeps as many times as it counts, and forgets who has long been idle", () => {
    const counters = RateCounters.make()
    const limit = { rule: "r", max: 1, windowSeconds: 1, onExceed: undefined, line: 0 }
    for (let index = 0; index < 30_000; index++) counters.count(`agent-${index}`, limit, index * 10_000)
    assert.isUndefined(counters.fullUntil("agent-0", limit))
    assert.strictEqual(counters.fullUntil("agent-29999", limit), 299_990_000 + 1000)
    assert.isAtMost(counters.size(), 10_000)
  })
})
