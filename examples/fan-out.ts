/**
 * Many invocations at once: an agent wants a hundred pages, and each page from two mirrors, of which one is overloaded. It takes the
 * first answer and interrupts the other invocation, for at most sixteen pages at a time. Nothing is started that nobody waits for, and
 * nothing runs on at the gateway: its own count of what it finished and what it stopped is part of the summary.
 *
 * Run it with `npx tsx examples/fan-out.ts`. It needs no network and leaves nothing behind.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Capabilities, Capability, Catalogue } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as assert from "node:assert/strict"

const catalogue = Catalogue.make(
  Capability.make("mirror.fetch", {
    tier: "autonomous",
    tags: ["mirror", "safe"],
    inputs: { mirror: Schema.Literal("north", "south"), page: Schema.Int },
    outputs: { content: Schema.String, mirror: Schema.String },
    errors: {}
  })
)

/** Counts how many of what it is put around run, and how they ended. */
const makeCounter = Effect.gen(function*() {
  const count = yield* Ref.make({ running: 0, mostAtOnce: 0, finished: 0, interrupted: 0 })
  const enter = Ref.update(count, (now) => ({
    ...now,
    running: now.running + 1,
    mostAtOnce: Math.max(now.mostAtOnce, now.running + 1)
  }))
  const leave = (exit: Exit.Exit<unknown, unknown>) =>
    Ref.update(count, (now) => ({
      ...now,
      running: now.running - 1,
      finished: now.finished + (Exit.isSuccess(exit) ? 1 : 0),
      interrupted: now.interrupted + (Exit.isInterrupted(exit) ? 1 : 0)
    }))
  return {
    count: Ref.get(count),
    around: <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.acquireUseRelease(enter, () => self, (_, exit) => leave(exit))
  }
})

type Counter = Effect.Effect.Success<typeof makeCounter>

/** The mirrors, as a capability of the gateway's own. Of each page one mirror takes a minute. */
const mirrors = ({ around }: Counter) =>
  LocalGateway.pack(catalogue, {
    "mirror.fetch": ({ mirror, page }) => {
      const isOverloaded = mirror === (page % 2 === 0 ? "north" : "south")
      return Effect.succeed({ content: `page ${page}`, mirror }).pipe(
        Effect.delay(isOverloaded ? "1 minute" : Duration.millis(10 + page % 10)),
        around
      )
    }
  })

const pages = Arr.range(1, 100)
const pagesAtOnce = 16

/** A page from whichever mirror is faster. The invocation at the other one is interrupted. */
const fetchPage = (page: number, { around }: Counter) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities.withCatalogue(catalogue)
    const from = (mirror: "north" | "south") => around(invoke("mirror.fetch", { mirror, page }))
    return yield* Effect.race(from("north"), from("south"))
  })

const show = (duration: Duration.Duration) => `${Math.round(Duration.toMillis(duration))} ms`

/** Fetches all pages, and sums up what it took. */
const survey = (atAgent: Counter, atGateway: Counter) =>
  Effect.gen(function*() {
    const [total, answers] = yield* Effect.forEach(
      pages,
      (page) => Effect.timed(fetchPage(page, atAgent)),
      { concurrency: pagesAtOnce }
    ).pipe(Effect.timed)

    const asked = yield* atAgent.count
    // What is interrupted here ends there a moment later.
    const ran = yield* atGateway.count.pipe(
      Effect.delay("10 millis"),
      Effect.repeat({ until: ({ running }) => running === 0 }),
      Effect.timeout("10 seconds")
    )

    const times = Arr.sort(answers.map(([duration]) => duration), Duration.Order)
    const within = (part: number) => show(times[Math.ceil(part * times.length) - 1] ?? Duration.zero)
    const from = (wanted: string) => answers.filter(([, { mirror }]) => mirror === wanted).length
    yield* Console.log([
      `${answers.length} pages in ${show(total)}: ${from("north")} from the north, ${from("south")} from the south`,
      `  half of them took ${within(0.5)} at most, all of them ${within(1)}`,
      `${asked.finished + asked.interrupted} invocations, at most ${asked.mostAtOnce} at a time`,
      `  at the agent:   ${asked.finished} finished, ${asked.interrupted} interrupted, ${asked.running} running`,
      `  at the gateway: ${ran.finished} finished, ${ran.interrupted} interrupted, ${ran.running} running`
    ].join("\n"))
    return { contents: answers.map(([, { content }]) => content), asked, ran }
  })

const program = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const workspace = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-fan-out-" })
  const [atAgent, atGateway] = yield* Effect.all([makeCounter, makeCounter])
  const packs = [mirrors(atGateway)]
  const served = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0, packs })
  yield* Console.log(`A gateway listens at ${served.url}`)

  const { asked, contents, ran } = yield* survey(atAgent, atGateway).pipe(
    Effect.provide(NodeGateway.layer({ host: served.url, apiKey: served.apiKey, agentName: "fan-out" }))
  )
  assert.deepEqual(contents, pages.map((page) => `page ${page}`))
  assert.deepEqual(asked, { running: 0, mostAtOnce: 2 * pagesAtOnce, finished: 100, interrupted: 100 })
  assert.deepEqual({ finished: ran.finished, interrupted: ran.interrupted }, { finished: 100, interrupted: 100 })
  yield* Console.log("All as expected.")
}).pipe(Effect.scoped)

program.pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
