import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Approvals, Capabilities } from "kruxos"
import * as fs from "node:fs"
import { join } from "node:path"
import { builtInProse } from "../../src/catalogue/prose/builtIn.js"
import { within } from "../support/deadline.js"
import { Gateway } from "../support/gateway.js"
import { hasBrowser, inBrowser, open } from "./browser.js"
import { agentOf, cardOf, inPage, openPage, shared } from "./support.js"

/** An agent that deletes a file and waits for the human; the file is there. */
const deleting = (name: string) =>
  Effect.gen(function*() {
    const gateway = yield* Gateway
    fs.writeFileSync(join(gateway.workspace, name), name)
    const agent = yield* agentOf(gateway, gateway.key)
    return yield* Effect.flatMap(Capabilities, ({ invoke }) =>
      invoke("filesystem.delete", { path: `/workspace/${name}` }))
      .pipe(Approvals.awaitApproval({ timeout: "15 seconds" }), Effect.provide(agent), Effect.forkScoped)
  })

describe.skipIf(!hasBrowser)(inBrowser("the supervisor's page"), () => {
  layer(shared(), { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped("shows what a program waits for within a second, and a click lets it go on", () =>
      Effect.gen(function*() {
        const { outside, page, problems } = yield* openPage()
        assert.strictEqual(new URL(page.url()).hash, "#/approvals")
        const waiting = yield* deleting("old.txt")
        const card = cardOf(page, "old.txt")
        yield* inPage(() => card.waitFor()).pipe(within("the request", "1 second"))
        assert.strictEqual(yield* inPage(() => page.title()), "(1) KruxOS")
        assert.include(yield* inPage(() => page.locator("[aria-live]").innerText()), "asks to use filesystem.delete")
        const text = yield* inPage(() => card.innerText())
        for (
          const part of [
            "agent",
            "filesystem.delete",
            "/workspace/old.txt",
            "expires in",
            builtInProse["filesystem.delete"].purpose
          ]
        ) {
          assert.include(text, part)
        }
        yield* inPage(() => card.getByRole("button", { name: "Approve" }).click())
        const { deleted_path } = yield* Fiber.join(waiting).pipe(within("the program to go on", "5 seconds"))
        assert.strictEqual(deleted_path, "/workspace/old.txt")
        yield* inPage(() => page.locator(".settled", { hasText: "Approved and done" }).waitFor())
        assert.strictEqual(yield* inPage(() => page.title()), "KruxOS")
        assert.deepStrictEqual([problems(), outside()], [[], []])
      }))

    it.scoped("shows what agents write as text, with nothing hidden in it", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const { outside, page, problems } = yield* openPage()
        const agent = yield* agentOf(gateway, gateway.key)
        const path = "/workspace/<img src=x onerror=alert(1)>\u202etxt.exe"
        const error = yield* Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.delete", { path })).pipe(
          Effect.flip,
          Effect.provide(agent)
        )
        assert.strictEqual(error._tag, "ApprovalRequired")
        const card = cardOf(page, "txt.exe")
        yield* inPage(() => card.waitFor())
        assert.include(yield* inPage(() => card.innerText()), "/workspace/<img src=x onerror=alert(1)>U+202Etxt.exe")
        assert.strictEqual(yield* inPage(() => page.locator("main img").count()), 0)
        yield* inPage(async () => {
          await card.getByRole("button", { name: "Reject" }).click()
          await page.keyboard.press("Enter")
          await card.waitFor({ state: "detached" })
        })
        assert.deepStrictEqual([problems(), outside()], [[], []])
      }))

    it.scoped("rejects with a reason, which the program is told", () =>
      Effect.gen(function*() {
        const { page } = yield* openPage()
        const waiting = yield* deleting("report.txt")
        const card = cardOf(page, "report.txt")
        yield* inPage(async () => {
          await card.getByRole("button", { name: "Reject" }).click()
          await card.getByLabel("Why? The agent is told.").fill("it is still needed")
          await page.keyboard.press("Enter")
        })
        const error = yield* Effect.flip(Fiber.join(waiting)).pipe(within("the refusal", "5 seconds"))
        assert.strictEqual(error._tag, "ApprovalRejected")
        assert.include(error.message, "it is still needed")
        yield* inPage(() => page.locator(".settled", { hasText: "it is still needed" }).waitFor())
      }))

    it.scoped("follows what is decided in another browser, and says who was first", () =>
      Effect.gen(function*() {
        const one = yield* openPage()
        const other = yield* openPage()
        const waiting = yield* deleting("shared.txt")
        yield* inPage(() => Promise.all([one, other].map(({ page }) => cardOf(page, "shared.txt").waitFor())))
        yield* inPage(() => cardOf(one.page, "shared.txt").getByRole("button", { name: "Approve" }).click())
        yield* inPage(() =>
          other.page.locator("[data-request]", { hasText: "shared.txt" }).getByText("Approved and done").waitFor()
        )
        yield* Fiber.join(waiting)
        assert.strictEqual(yield* inPage(() => cardOf(other.page, "shared.txt").count()), 0)

        // One that cannot follow finds out when it tries.
        const second = yield* deleting("second.txt")
        yield* inPage(() => cardOf(other.page, "second.txt").waitFor())
        yield* inPage(() => other.page.route("**/api/approvals/*", (route) => route.abort()))
        yield* inPage(() => cardOf(one.page, "second.txt").getByRole("button", { name: "Approve" }).click())
        yield* Fiber.join(second)
        yield* inPage(() => other.page.unroute("**/api/approvals/*"))
        yield* inPage(() =>
          other.page.locator("[data-request]", { hasText: "second.txt" }).getByText("Approved").waitFor()
        )
      }))

    it.scoped("shows nothing to a wrong token, and forgets the right one when told", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        yield* deleting("secret-plan.txt")
        const { page, problems } = yield* open(`http://127.0.0.1:${gateway.port}/#token=krx_user_wrong`)
        yield* inPage(() => page.getByRole("alert").waitFor())
        const text = yield* inPage(() => page.locator("body").innerText())
        assert.include(text, "This token opens nothing here")
        assert.notInclude(text, "secret-plan")
        yield* inPage(async () => {
          await page.reload()
          await page.getByLabel("Supervisor token").fill(gateway.supervisorToken)
          await page.getByRole("button", { name: "Open" }).click()
          await cardOf(page, "secret-plan.txt").waitFor()
          await page.reload()
          await cardOf(page, "secret-plan.txt").waitFor()
          await page.getByRole("button", { name: "Forget token" }).click()
          await page.getByLabel("Supervisor token").waitFor()
        })
        assert.notInclude(yield* inPage(() => page.locator("body").innerText()), "secret-plan")
        assert.strictEqual(yield* inPage(() => page.evaluate(() => JSON.stringify(sessionStorage))), "{}")
        assert.strictEqual(yield* inPage(() => page.evaluate(() => localStorage.length + document.cookie.length)), 0)
        assert.deepStrictEqual(problems(), [])
      }))

    it.scoped("is operated by keyboard alone", () =>
      Effect.gen(function*() {
        const { page } = yield* openPage()
        const waiting = yield* deleting("keys.txt")
        const card = cardOf(page, "keys.txt")
        yield* inPage(() => card.waitFor())
        const approve = card.getByRole("button", { name: "Approve" })
        const isReached = () => approve.evaluate((button) => button === document.activeElement)
        let presses = 0
        while (!(yield* inPage(isReached))) {
          assert.isBelow(++presses, 60, "the button is reached by Tab")
          yield* inPage(() => page.keyboard.press("Tab"))
        }
        yield* inPage(() => page.keyboard.press("Enter"))
        yield* Fiber.join(waiting).pipe(within("the program to go on", "5 seconds"))
        // The focus stays at what was decided.
        yield* inPage(() => page.locator("[data-request].settled:focus").waitFor({ timeout: 5000 }))

        const second = yield* deleting("shortcut.txt")
        yield* inPage(() => cardOf(page, "shortcut.txt").waitFor())
        yield* inPage(async () => {
          await cardOf(page, "shortcut.txt").focus()
          await page.keyboard.press("r")
          await page.keyboard.type("not by shortcut")
          await page.keyboard.press("Enter")
        })
        assert.include((yield* Effect.flip(Fiber.join(second))).message, "not by shortcut")
        yield* inPage(async () => {
          await page.keyboard.press("6")
          await page.getByRole("heading", { name: "Health" }).waitFor()
          await page.keyboard.press("?")
          await page.getByRole("dialog").waitFor()
          await page.keyboard.press("Escape")
          await page.getByRole("dialog").waitFor({ state: "hidden" })
        })
      }))
  })
})
