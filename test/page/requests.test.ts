import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ApprovalView } from "../../src/local/supervisor/ApprovalView.js"
import { makeClient } from "../../src/page/client/Client.js"
import { makeApprovals } from "../../src/page/state/approvals.js"
import { pendingCount } from "../../src/page/state/Requests.js"

const viewOf = (id: number, status: ApprovalView["status"]): ApprovalView => ({
  id: `apr-${id}`,
  agent: "agent",
  capability: "filesystem.delete",
  arguments: { path: String(id) },
  digest: "0",
  rule: "rule",
  reason: null,
  status,
  created_at: DateTime.unsafeMake(id),
  expires_at: DateTime.unsafeMake(1_000_000_000)
})

/** A gateway with so many pending requests, which lists the newest of them. */
const gatewayWith = (count: number) => {
  const views = new Map(Array.from({ length: count }, (_, id) => [`apr-${id}`, viewOf(id, "pending")]))
  const asked: Array<string> = []
  const client = {
    ...makeClient(Redacted.make("krx_user_x")),
    approvals: ({ limit, status }: { readonly [name: string]: string | number | undefined }) =>
      Effect.sync(() => {
        asked.push("list")
        const all = [...views.values()].reverse().filter((view) => status === undefined || view.status === status)
        return { approvals: all.slice(0, Number(limit)), total: all.length }
      }),
    approval: (id: string) =>
      Effect.suspend(() => {
        asked.push(id)
        return Effect.orDie(Effect.fromNullable(views.get(id)))
      })
  }
  const decide = (id: number) => views.set(`apr-${id}`, viewOf(id, "rejected"))
  return { approvals: makeApprovals(client, () => undefined), asked, decide }
}

describe("the requests that the page knows", () => {
  it.effect("follow what others decide, also where there are more than the gateway lists at a time", () =>
    Effect.gen(function*() {
      const { approvals, asked, decide } = gatewayWith(350)
      yield* approvals.load
      for (let from = 0; from < 350; from += 50) {
        for (let id = from; id < from + 50; id++) approvals.mark(`apr-${id}`)
        yield* approvals.refresh
      }
      assert.strictEqual(approvals.requests.get().byId.size, 350)
      yield* approvals.load
      assert.strictEqual(pendingCount(approvals.requests.get()), 350)

      decide(3)
      approvals.mark("apr-3")
      for (let second = 0; second < 5; second++) yield* approvals.refresh
      assert.strictEqual(approvals.requests.get().byId.get("apr-3")?.view.status, "rejected")
      assert.strictEqual(pendingCount(approvals.requests.get()), 349)
      asked.length = 0
      yield* approvals.refresh
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("are listed anew where many are new, and not asked for one by one", () =>
    Effect.gen(function*() {
      const { approvals, asked } = gatewayWith(1000)
      for (let id = 0; id < 1000; id++) approvals.mark(`apr-${id}`)
      yield* approvals.refresh
      assert.deepStrictEqual(asked, ["list", "list"])
      assert.strictEqual(pendingCount(approvals.requests.get()), 1000)
    }))
})
