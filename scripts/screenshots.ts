import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Browser from "../test/page/browser.js"
import { buildPage } from "./buildPage.js"
import { scenario } from "./screenshots/scenario.js"

const folder = process.argv[2] ?? fileURLToPath(new URL("../docs/images", import.meta.url))

/** What to show, and how. */
const shots: ReadonlyArray<readonly [name: string, view: string, options: Browser.OpenOptions]> = [
  ["light", "approvals", { width: 1200, height: 860 }],
  ["dark", "activity", { width: 1200, height: 720, scheme: "dark" }],
  ["phone", "approvals", { width: 390, height: 844, scale: 1.5 }]
]

const all = ["approvals", "activity", "alerts", "agents", "state", "health"].flatMap((view) =>
  (["light", "dark"] as const).flatMap((scheme): typeof shots => [
    [`${view}-${scheme}`, view, { width: 1200, height: 900, scheme }],
    [`${view}-${scheme}-phone`, view, { width: 360, height: 780, scheme }]
  ])
)

const shoot = (page: string, [name, view, options]: typeof shots[number]) =>
  Effect.gen(function*() {
    const opened = yield* Browser.open(page, options)
    yield* Effect.promise(async () => {
      await opened.page.locator("[data-connection=Live]").waitFor()
      await opened.page.locator(`nav a[href="#/${view}"]`).click()
      await opened.page.waitForTimeout(700)
      await opened.page.mouse.move(0, 0)
      await opened.page.screenshot({ path: `${folder}/page-${name}.png` })
    })
    for (const problem of opened.problems()) yield* Effect.logError(problem)
  }).pipe(Effect.scoped)

const program = Effect.gen(function*() {
  yield* Effect.promise(buildPage)
  mkdirSync(folder, { recursive: true })
  const { page } = yield* scenario
  yield* Effect.forEach(process.argv[3] === "all" ? all : shots, (shot) => shoot(page, shot))
})

program.pipe(Effect.scoped, Effect.provide(Browser.layer), NodeRuntime.runMain)
