import { assert, describe, it } from "@effect/vitest"
import { makeShown } from "../../../src/cli/watch/shown.js"
import { fact, joined } from "../../../src/local/audit/facts.js"
import { eventOf } from "../../../src/local/supervision/eventOf.js"

const about = { agent: "a", sessionId: "s", capability: "filesystem.read" }

const begun = (at: number) => fact(at, "invocation_started", about, {}, "{\"path\":\"x\"}")

const ended = (at: number, duration_ms: number) =>
  fact(at, "invocation_ended", about, { outcome: "success", duration_ms })

describe("what was shown of the log", () => {
  it("is not shown again where the log has one entry for two events", () => {
    const shown = makeShown()
    shown.add({ ...eventOf(joined(begun(1000), ended(1007, 7), "{\"path\":\"x\"}")), sequence: 1 })
    assert.isTrue(shown.take(eventOf(begun(1000))))
    assert.isTrue(shown.take(eventOf(ended(1007, 7))))
    assert.isFalse(shown.take(eventOf(ended(1007, 7))), "another one")
    assert.isFalse(shown.take(eventOf(begun(1001))))
  })

  it("is not shown again as often as it was shown", () => {
    const shown = makeShown()
    for (const sequence of [1, 2]) shown.add({ ...eventOf(ended(1000, 0)), sequence })
    const answers = [1, 2, 3].map(() => shown.take(eventOf(ended(1000, 0))))
    assert.deepStrictEqual(answers, [true, true, false])
  })
})
