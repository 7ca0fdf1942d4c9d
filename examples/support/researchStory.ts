/**
 * What the research agent lives through: it is killed while a page is on its way, stops at a page that fails, and is started again each
 * time. In the end everything is there, and nothing was read twice but what had to be.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { Capabilities, State } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as assert from "node:assert/strict"
import { startAgent } from "./agentProcess.js"
import { type Answer, contentOf, found, serveSite } from "./site.js"

/** What the agent left at the gateway, as the agent itself sees it. */
const left = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  const { persistent } = yield* State
  const { alerts } = yield* invoke("alerts.list")
  return { alerts, checkpoint: Option.getOrUndefined(yield* persistent.get("research.checkpoint"))?.value }
})

/** Runs this program as an agent on a site of that many pages, three times, and asserts what came of it. */
export const demonstrate = (pages: number) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-research-" })
    const workspace = paths.join(folder, "workspace")
    yield* files.makeDirectory(workspace)

    const [cutOff, failing] = [Math.floor(pages / 3), Math.floor(pages * 2 / 3)]
    const onItsWay = yield* Deferred.make<void>()
    const killed = yield* Deferred.make<void>()
    const answer: Answer = (page, visit) =>
      page === cutOff && visit === 1
        ? Deferred.succeed(onItsWay, undefined).pipe(Effect.zipRight(Deferred.await(killed)), Effect.as(found(page)))
        : Effect.succeed(page === failing && visit === 1 ? HttpServerResponse.empty({ status: 503 }) : found(page))
    const site = yield* serveSite(answer)
    const served = yield* LocalGateway.serve({
      workspace,
      dataDirectory: paths.join(folder, "data"),
      port: 0,
      network: { allow: [site.host] }
    })
    yield* Console.log(`A site has ${pages} pages at ${site.url}, and a gateway lets its agent go there: ${served.url}`)

    yield* Console.log("\nThe agent is started")
    const first = yield* startAgent(served, site.url)
    yield* Deferred.await(onItsWay).pipe(Effect.timeout("30 seconds"))
    yield* first.kill
    yield* Deferred.succeed(killed, undefined)
    yield* Console.log(`It was killed (kill -9) while page ${cutOff} was on its way; meanwhile a human leaves a note`)
    yield* files.writeFileString(paths.join(workspace, "note.txt"), "Do not forget page 11")

    yield* Console.log("\nIt is started again")
    const second = yield* startAgent(served, site.url)
    assert.notEqual(yield* second.ended, 0)
    yield* Console.log("It has ended with an error, and alerted its supervisor; the site is well again")

    yield* Console.log("\nIt is started again")
    const third = yield* startAgent(served, site.url)
    assert.equal(yield* third.ended, 0)

    const { alerts, checkpoint } = yield* Effect.provide(
      left,
      NodeGateway.layer({ host: served.url, apiKey: served.apiKey })
    )
    assert.deepEqual(checkpoint, { page: pages, status: "completed" })
    assert.deepEqual(alerts.map(({ message, severity }) => ({ message, severity })), [
      { message: "The site answers with status 503", severity: "warning" }
    ])
    const numbers = Arr.makeBy(pages, (page) => page)
    const written = yield* Effect.forEach(
      numbers,
      (page) => files.readFileString(paths.join(workspace, "data", `page_${page}.json`))
    )
    assert.deepEqual(written, numbers.map(contentOf))
    const visits = numbers.map((page) => site.visits.get(page))
    assert.deepEqual(visits, numbers.map((page) => page === cutOff || page === failing ? 2 : 1))
    yield* Console.log(`\nThe pages were asked for ${visits.join(" ")} times, and all ${pages} files are there.`)
    yield* Console.log("All as expected.")
  }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Warning))
