import { assert, describe, layer } from "@effect/vitest"
import axe from "axe-core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Capabilities } from "kruxos"
import type { Page } from "playwright-core"
import { shortId } from "../../src/local/supervision/transactionOf.js"
import { Gateway } from "../support/gateway.js"
import { textAt } from "../support/json.js"
import { rpc } from "../support/rawHttp.js"
import { hasBrowser, inBrowser, open } from "./browser.js"
import { agentOf, inPage, openPage, shared } from "./support.js"

const decodeResult = Schema.decodeUnknown(Schema.parseJson(Schema.Struct({
  passes: Schema.Int,
  violations: Schema.Array(Schema.Struct({
    id: Schema.String,
    impact: Schema.NullOr(Schema.String),
    nodes: Schema.Array(Schema.Struct({ html: Schema.String }))
  }))
})))

const run = "axe.run().then(({ passes, violations }) => JSON.stringify({ passes: passes.length, violations }))"

const seriousViolations = (page: Page) =>
  Effect.gen(function*() {
    yield* inPage(() => page.evaluate(axe.source))
    const { passes, violations } = yield* Effect.orDie(decodeResult(yield* inPage(() => page.evaluate(run))))
    assert.isAbove(passes, 15, "there is something to look at")
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) =>
      `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`
    )
  })

const goTo = (page: Page, view: string) =>
  inPage(async () => {
    await page.locator(`nav a[href="#/${view}"]`).click()
    await page.locator(`nav a[href="#/${view}"][aria-current=page]`).waitFor()
    await page.locator("main h1").waitFor()
    await page.locator("main .loading").waitFor({ state: "detached" })
  })

/** Some of everything that the page can show. */
const work = Effect.gen(function*() {
  const gateway = yield* Gateway
  const agent = yield* agentOf(gateway, gateway.key)
  yield* Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    yield* invoke("filesystem.write", { path: "/workspace/notes.txt", content: "one\ntwo" })
    yield* Effect.flip(invoke("filesystem.read", { path: "/workspace/missing.txt" }))
    yield* Effect.flip(invoke("filesystem.delete", { path: "/workspace/notes.txt" }))
    yield* invoke("state.persistent.set", { key: "plan/today", value: { steps: ["read", "write"] } })
    yield* invoke("state.persistent.set", { key: "plan/today", value: { steps: ["rest"] } })
    yield* invoke("state.persistent.set", { key: "mood", value: "calm" })
  }).pipe(Effect.provide(agent))
  return gateway
})

/** A transaction that has begun, over HTTP. */
const beginTransaction = Effect.gen(function*() {
  const gateway = yield* Gateway
  const call = (method: string, params: object) => rpc(gateway, method, params)
  const session_id = textAt(yield* call("session.create", {}), "result", "session_id")
  const begin = (more: object) =>
    Effect.map(
      call("transaction.begin", { session_id, ...more }),
      (answer) => textAt(answer, "result", "transaction_id")
    )
  const set = (transaction_id: string, key: string, value: string) =>
    call("capabilities.invoke", {
      session_id,
      transaction_id,
      capability: "state.persistent.set",
      arguments: { key, value }
    })
  const end = (how: "commit" | "rollback", transaction_id: string) =>
    call(`transaction.${how}`, { session_id, transaction_id })
  return { begin, end, id: yield* begin({}), set }
})

describe.skipIf(!hasBrowser)(inBrowser("the views of the page"), () => {
  layer(shared(), { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped(
      "have no serious violation of accessibility, light and dark, wide and narrow",
      () =>
        Effect.gen(function*() {
          const gateway = yield* work
          const { end, id, set } = yield* beginTransaction
          yield* set(id, "mood", "curious")
          yield* end("rollback", id)
          for (const options of [{ scheme: "light" }, { scheme: "dark", width: 360 }] as const) {
            const { page } = yield* openPage(options)
            for (const view of ["approvals", "alerts", "activity", "agents", "state", "health"]) {
              yield* goTo(page, view)
              assert.deepStrictEqual(yield* seriousViolations(page), [], `${view} ${options.scheme}`)
              const overflow = yield* inPage(() =>
                page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
              )
              assert.strictEqual(overflow, 0, `${view} fits`)
            }
            yield* inPage(() => page.keyboard.press("?"))
            assert.deepStrictEqual(yield* seriousViolations(page), [], `help ${options.scheme}`)
          }
          const { page } = yield* open(`http://127.0.0.1:${gateway.port}/`)
          assert.deepStrictEqual(yield* seriousViolations(page), [], "sign in")
        }),
      60_000
    )

    it.scoped("pause an agent after one more question, and let it go on", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const agent = yield* agentOf(gateway, gateway.key)
        const { page, problems } = yield* openPage()
        const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.list", { path: "/workspace" }))
          .pipe(
            Effect.provide(agent)
          )
        yield* goTo(page, "agents")
        yield* inPage(async () => {
          await page.getByRole("button", { name: "Pause agent" }).click()
          await page.getByRole("group", { name: /Pause it/ }).getByRole("button", { name: "Pause" }).click()
          await page.locator(".badge", { hasText: "paused" }).waitFor()
        })
        assert.strictEqual((yield* Effect.flip(read))._tag, "SessionPaused")
        yield* inPage(async () => {
          await page.getByRole("button", { name: "Resume agent" }).click()
          await page.locator(".badge", { hasText: "active" }).waitFor()
        })
        yield* read
        assert.deepStrictEqual(problems(), [])
      }))

    it.scoped("show what agents do as it happens, filtered", () =>
      Effect.gen(function*() {
        const { page, problems } = yield* openPage()
        yield* goTo(page, "activity")
        yield* work
        const rows = page.locator(".feed > li")
        yield* inPage(() => rows.filter({ hasText: "FileNotFound" }).first().waitFor())
        yield* inPage(() =>
          rows.filter({ hasText: "/workspace/notes.txt" }).filter({ hasText: "done" }).first().waitFor()
        )
        yield* inPage(() => page.getByLabel("Show").selectOption("Approvals"))
        yield* inPage(() => rows.filter({ hasText: "asks for approval" }).first().waitFor())
        assert.strictEqual(yield* inPage(() => rows.filter({ hasText: "filesystem.write" }).count()), 0)
        yield* inPage(() => page.getByLabel("Text").fill("no such thing"))
        yield* inPage(() => page.getByText("Nothing yet").waitFor())
        assert.deepStrictEqual(problems(), [])
      }))

    it.scoped(
      "show a transaction as one thing with its steps, while it is open and when it has ended",
      () =>
        Effect.gen(function*() {
          const { page, problems } = yield* openPage()
          yield* goTo(page, "activity")
          const { begin, end, id, set } = yield* beginTransaction
          const group = page.locator(".feed > li.transaction-item").filter({ hasText: shortId(id) })
          const steps = group.getByRole("list", { name: `Steps of transaction ${shortId(id)}` }).locator("> li")
          yield* set(id, "one", "1")
          yield* inPage(() => group.filter({ hasText: "open" }).filter({ hasText: "1 step" }).waitFor())
          const savepoint = yield* begin({ parent: id })
          yield* set(savepoint, "two", "2")
          yield* end("commit", savepoint)
          yield* inPage(() => steps.filter({ hasText: "savepoint committed" }).waitFor())
          yield* inPage(() => steps.filter({ hasText: "began a savepoint" }).waitFor())
          assert.strictEqual(yield* inPage(() => steps.filter({ hasText: "state.persistent.set" }).count()), 2)
          assert.strictEqual(
            yield* inPage(() => group.locator(".nested", { hasText: "state.persistent.set" }).count()),
            1
          )
          yield* end("rollback", id)
          const head = group.filter({ hasText: "rolled back" }).filter({ hasText: "its agent asked for it" })
          yield* inPage(() => head.waitFor())
          assert.strictEqual(yield* inPage(() => group.count()), 1)
          // It closes to its head, by the keyboard too, and opens again.
          const summary = group.locator("> details > summary")
          yield* inPage(() => summary.focus())
          yield* inPage(() => page.keyboard.press("Enter"))
          yield* inPage(() => steps.first().waitFor({ state: "detached" }))
          yield* inPage(() => page.keyboard.press("Enter"))
          yield* inPage(() => steps.first().waitFor())
          // The log has it as the stream had.
          yield* inPage(() => page.reload())
          yield* inPage(() => head.waitFor())
          yield* inPage(() => page.getByLabel("Text").fill("no such thing"))
          yield* inPage(() => page.getByText("Nothing yet").waitFor())
          yield* inPage(() => page.getByLabel("Text").fill("\"key\":\"two\""))
          yield* inPage(() => steps.filter({ hasText: "began a savepoint" }).waitFor())
          assert.deepStrictEqual(problems(), [])
        }),
      30_000
    )

    it.scoped("show what an agent keeps, and delete it after one more question", () =>
      Effect.gen(function*() {
        yield* work
        const { page, problems } = yield* openPage()
        yield* goTo(page, "state")
        yield* inPage(async () => {
          await page.getByLabel("Keys that begin with").fill("plan/")
          await page.getByRole("button", { name: "mood" }).waitFor({ state: "detached" })
          await page.getByRole("button", { name: "plan/today" }).click()
          await page.locator(".entry pre", { hasText: "rest" }).waitFor()
        })
        assert.isAtLeast(yield* inPage(() => page.locator(".versions li").count()), 2)
        yield* inPage(async () => {
          await page.getByRole("button", { name: "Delete plan/today" }).click()
          await page.getByRole("button", { name: "Delete", exact: true }).click()
          await page.getByText("No such key").waitFor()
        })
        assert.deepStrictEqual(problems(), [])
      }))
  })
})
