import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Capabilities } from "kruxos"
import { Gateway } from "../support/gateway.js"
import { hasBrowser, inBrowser, type Opened } from "./browser.js"
import { agentOf, cardOf, inPage, openPage, shared } from "./support.js"

/** Asks for approval of writing a file; nobody waits for the answer. */
const ask = (path: string, content: string) =>
  Effect.gen(function*() {
    const gateway = yield* Gateway
    const agent = yield* agentOf(gateway, gateway.key)
    const error = yield* Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path, content }))
      .pipe(
        Effect.flip,
        Effect.provide(agent)
      )
    assert.strictEqual(error._tag, "ApprovalRequired")
  })

const nothingRan = ({ outside, page, problems }: Opened) =>
  Effect.gen(function*() {
    assert.deepStrictEqual([problems(), outside()], [[], []])
    assert.isUndefined(yield* inPage(() => page.evaluate(() => Reflect.get(window, "ran"))))
    const foreign = "main :is(script, img, iframe, style, form[action], object), main svg [onload], main [style]"
    assert.strictEqual(yield* inPage(() => page.locator(foreign).count()), 0)
  })

const markup = [
  "<script>window.ran = 1</script>",
  "<img src=x onerror=\"window.ran = 2\">",
  "<svg onload=alert(3)>",
  "\"><iframe srcdoc=\"<script>parent.ran = 4</script>\"></iframe>",
  "<a href=\"javascript:window.ran=5\">go on</a>",
  "${window.ran = 6} {{constructor.constructor('window.ran=7')()}} &lt;b&gt;"
].join("\n")

describe.skipIf(!hasBrowser)(inBrowser("what agents write into the page"), () => {
  layer(shared({ policy: "enterprise-restrictive" }), { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped("is text, whatever markup it has", () =>
      Effect.gen(function*() {
        const opened = yield* openPage()
        const { page } = opened
        yield* ask("<img src=x onerror=alert(1)>.html", markup)
        const card = cardOf(page, "<img src=x onerror=alert(1)>.html")
        yield* inPage(() => card.waitFor())
        assert.strictEqual(yield* inPage(() => card.locator("pre").textContent()), markup)
        for (const view of ["activity", "agents", "state", "health"]) {
          yield* inPage(async () => {
            await page.locator(`nav a[href="#/${view}"]`).click()
            await page.locator("main h1").waitFor()
          })
        }
        yield* inPage(async () => {
          await page.locator("nav a[href=\"#/activity\"]").click()
          await page.locator(".feed .row", { hasText: "asks for approval" }).first().click()
          await page.locator(".row-body").waitFor()
        })
        yield* nothingRan(opened)
      }))

    it.scoped("hides nothing behind characters that nobody sees", () =>
      Effect.gen(function*() {
        const opened = yield* openPage()
        yield* ask("invoice\u202efdp.exe", "a\u200bb\u0007c\u2066d\u00a0e\ud83d\ude00")
        const card = cardOf(opened.page, "fdp.exe")
        yield* inPage(() => card.waitFor())
        const marks = yield* inPage(() => card.locator("mark").allInnerTexts())
        assert.deepStrictEqual(marks, ["U+202E", "U+200B", "U+0007", "U+2066", "U+00A0"])
        const text = yield* inPage(() => card.innerText())
        assert.include(text, "\ud83d\ude00")
        for (const hidden of ["\u202e", "\u200b", "\u0007", "\u2066"]) assert.notInclude(text, hidden)
        yield* nothingRan(opened)
      }))

    it.scoped("may be a million characters, which are folded and can all be shown", () =>
      Effect.gen(function*() {
        const opened = yield* openPage()
        const { page } = opened
        const line = "<b>0123456789</b>\u202e "
        const content = line.repeat(Math.ceil(1_000_000 / line.length))
        yield* ask("large.txt", content)
        const card = cardOf(page, "large.txt")
        yield* inPage(() => card.waitFor())
        const ask_ = card.getByRole("button", { name: /Show the arguments/ })
        const show = card.getByRole("button", {
          name: `Show all (${content.length.toLocaleString("en-US")} characters`
        })
        yield* inPage(() => ask_.or(show).waitFor())
        if (yield* inPage(() => ask_.isVisible())) yield* inPage(() => ask_.click())
        yield* inPage(() => show.click())
        const shown = yield* inPage(() => card.locator("pre").textContent())
        assert.strictEqual(shown?.replaceAll(/\[?U\+202E\]?/g, "\u202e"), content)
        yield* inPage(() => card.getByRole("button", { name: "Reject" }).click())
        yield* nothingRan(opened)
      }))
  })
})
