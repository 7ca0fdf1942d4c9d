import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Capabilities } from "kruxos"
import type { Page } from "playwright-core"
import { until } from "../support/deadline.js"
import { Gateway } from "../support/gateway.js"
import { runs } from "../support/runs.js"
import { asSupervisor } from "../support/supervisor.js"
import { hasBrowser, inBrowser } from "./browser.js"
import { agentOf, cardOf, inPage, openPage, shared } from "./support.js"

const decodeStatus = Schema.decodeUnknown(Schema.Struct({ events: Schema.Struct({ newest: Schema.String }) }))

/** How many events the gateway has told of so far. */
const eventsTold = Effect.gen(function*() {
  const { body } = yield* asSupervisor(yield* Gateway, "/status")
  const { events } = yield* Effect.orDie(decodeStatus(body))
  return Number(events.newest.split("-").at(-1))
})

const eventsShown = (page: Page) =>
  Effect.map(inPage(() => page.locator(".note").innerText()), (text) => Number(text.replaceAll(/\D/g, "")))

// The longest time between two frames in milliseconds: how long the page did nothing that somebody would see.
const watchFrames = `
  window.longest = 0
  let last = performance.now()
  const frame = (now) => {
    window.longest = Math.max(window.longest, now - last)
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
`

describe.skipIf(!hasBrowser)(inBrowser("the page under load"), () => {
  layer(shared(), { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped(
      "shows ten thousand events in less than a minute, loses none and stays responsive",
      () =>
        Effect.gen(function*() {
          const gateway = yield* Gateway
          const { page, problems } = yield* openPage()
          yield* inPage(() => page.locator("nav a[href=\"#/activity\"]").click())
          // Before the agent connects, so that no event is on its way to the page.
          const before = (yield* eventsTold) - (yield* eventsShown(page))
          const counts = Effect.all({ told: Effect.map(eventsTold, (told) => told - before), shown: eventsShown(page) })
          const agent = yield* agentOf(gateway, gateway.key)
          yield* inPage(() => page.evaluate(watchFrames))

          const invocations = runs(5000)
          const work = Effect.flatMap(Capabilities, ({ invoke }) =>
            Effect.forEach(
              Array.from({ length: invocations }),
              () => invoke("filesystem.list", { path: "/workspace" }),
              { concurrency: 16, discard: true }
            )).pipe(Effect.provide(agent))
          const [duration] = yield* Effect.timed(work)
          yield* until("all events", Effect.map(counts, ({ shown, told }) => shown === told), "20 seconds").pipe(
            Effect.onError(() => Effect.flatMap(counts, Effect.logError))
          )
          const { told } = yield* counts
          assert.isAtLeast(told, 2 * invocations)
          assert.isBelow(yield* inPage(() => page.locator(".feed > li").count()), 1000)

          const longest = Number(yield* inPage(() => page.evaluate("window.longest")))
          // Generous: the gateway, the agent and a browser without a graphics card share the processors.
          assert.isBelow(longest, 1000, `${told} events in ${duration}`)

          yield* Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.delete", { path: "/workspace/a" }))
            .pipe(
              Effect.flip,
              Effect.provide(agent)
            )
          yield* inPage(() => page.locator("nav a[href=\"#/approvals\"]").click())
          yield* inPage(() => cardOf(page, "/workspace/a").waitFor({ timeout: 2000 }))
          assert.deepStrictEqual(problems(), [])
        }),
      90_000
    )
  })
})
