import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { type Browser as PlaywrightBrowser, chromium, type Page } from "playwright-core"

const executablePath = process.env["KRUXOS_TEST_CHROMIUM"] ?? "/usr/bin/chromium"

/** Whether there is a browser to test with. */
export const hasBrowser = fs.existsSync(executablePath)

/** What to call a suite that needs the browser; where there is none the name says why nothing runs. */
export const inBrowser = (name: string): string =>
  hasBrowser ? name : `${name} (skipped: there is no ${executablePath}; KRUXOS_TEST_CHROMIUM names another)`

const launch = () =>
  chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })

/** The browser that the tests of a file share. */
export class Browser extends Context.Tag("test/Browser")<Browser, PlaywrightBrowser>() {}

export const layer: Layer.Layer<Browser> = Layer.scoped(
  Browser,
  Effect.acquireRelease(Effect.promise(launch), (browser) => Effect.promise(() => browser.close()))
)

/** A page of the browser, in a profile of its own. */
export interface Opened {
  readonly page: Page
  /** What should never be: errors of the console or of scripts, violations of the content security policy, dialogs. */
  readonly problems: () => ReadonlyArray<string>
  /** The requests that went anywhere but to the gateway. */
  readonly outside: () => ReadonlyArray<string>
}

/** How to open a page. */
export interface OpenOptions {
  readonly width?: number
  readonly height?: number
  readonly scheme?: "light" | "dark"
  readonly scale?: number
  /** What to do with the page before it asks for anything. */
  readonly before?: (page: Page) => Promise<unknown>
}

const isExpected = (text: string) => /^Failed to load resource: .*(40[0-9]|410|503|ERR_)/.test(text)

/** Opens an address in a profile of its own until the scope ends. Answers that say no are no problems. */
export const open = (
  url: string,
  { before, height = 900, scale = 1, scheme = "light", width = 1280 }: OpenOptions = {}
): Effect.Effect<Opened, never, Browser | Scope.Scope> =>
  Effect.gen(function*() {
    const browser = yield* Browser
    const context = yield* Effect.acquireRelease(
      Effect.promise(() =>
        browser.newContext({
          viewport: { width, height },
          colorScheme: scheme,
          deviceScaleFactor: scale,
          locale: "en-GB",
          timezoneId: "UTC",
          reducedMotion: "reduce"
        })
      ),
      (made) => Effect.promise(() => made.close())
    )
    const page = yield* Effect.promise(() => context.newPage())
    page.setDefaultTimeout(10_000)
    const problems: Array<string> = []
    const outside: Array<string> = []
    const { origin } = new URL(url)
    page.on("console", (message) => {
      if (message.type() === "error" && !isExpected(message.text())) problems.push(message.text())
    })
    page.on("pageerror", (error) => void problems.push(`uncaught: ${error.message}`))
    page.on("dialog", (dialog) => {
      problems.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) outside.push(request.url())
    })
    if (before !== undefined) yield* Effect.promise(() => before(page))
    yield* Effect.promise(() => page.goto(url))
    return { page, problems: () => problems, outside: () => outside }
  })
