import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Fact } from "../../../src/local/audit/chain.js"
import { fact } from "../../../src/local/audit/facts.js"
import { AuditLog, batchSizes } from "../../../src/local/store/AuditLog.js"
import * as Store from "../../../src/local/store/Store.js"
import { obey } from "./obey.js"

const [, , filename = ""] = process.argv

const [atOnce = 1] = batchSizes

const read = (index: number): Fact =>
  fact(
    1_700_000_000_000 + index,
    "invocation",
    {
      agent: `agent-${index % 7}`,
      sessionId: `ses-${index % 1000}`,
      capability: "filesystem.read",
      tier: "autonomous",
      rule: "default"
    },
    { invocation: index, success: true, duration_ms: 1 },
    JSON.stringify({ path: `/workspace/notes/${index}.txt` })
  )

/** Adds entries to the audit log of a gateway that does not run. */
obey({
  fill: async (from = 0, count = 0) => {
    const filled = Effect.gen(function*() {
      const log = yield* AuditLog
      for (let index = from; index < from + count; index += atOnce) {
        const facts = Array.from(
          { length: Math.min(atOnce, from + count - index) },
          (_, offset) => read(index + offset)
        )
        yield* log.append(facts, Option.none(), () => read(index))
      }
    })
    await Effect.runPromise(Effect.provide(filled, Store.layer({ filename })))
    return []
  }
})
