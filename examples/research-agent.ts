/**
 * An agent that reads a site page by page, and does not begin anew when it is cut off: it stores how far it is, goes on there, and
 * tells a human where it had to stop. It is the complete example of KruxOS's guide.
 *
 * Run it with `npx tsx examples/research-agent.ts`. Then it has a site and a gateway of its own; the agent is killed half-way, meets a
 * page that fails, and completes its work all the same. It needs no network and leaves nothing behind.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Capabilities, State } from "kruxos"
import { NodeGateway } from "kruxos/node"
import { demonstrate } from "./support/researchStory.js"

const pages = 12

const Progress = Schema.Struct({ page: Schema.Number, status: Schema.Literal("in_progress", "stopped", "completed") })

class PageRefused extends Data.TaggedError("PageRefused")<{ readonly message: string }> {}

/** The agent. What lies between two checkpoints runs again after a crash, so it is what may run twice: reading a page, writing its file. */
const research = (site: string) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { persistent } = yield* State

    const { briefing } = yield* invoke("state.briefing.generate")
    yield* Console.log(briefing.summary)

    const { resumed, save, start } = yield* persistent.checkpoint("research.checkpoint", Progress, {
      initial: { page: 0, status: "in_progress" }
    })
    yield* Console.log(resumed ? `Going on at page ${start.page}` : "Beginning")

    const study = Effect.fn(function*(page: number) {
      const { body, status_code } = yield* invoke("network.http_request", { url: `${site}/data?page=${page}` })
      if (status_code !== 200) return yield* new PageRefused({ message: `The site answers with status ${status_code}` })
      yield* invoke("filesystem.write", {
        path: `/workspace/data/page_${page}.json`,
        content: body,
        create_parents: true
      })
      yield* save({ page: page + 1, status: "in_progress" })
      yield* Console.log(`Page ${page} is stored`)
    })

    const stop = (page: number, { message }: Error) =>
      Effect.zipRight(
        invoke("alerts.send", { severity: "warning", title: `Research failed on page ${page}`, message }),
        save({ page, status: "stopped" })
      )

    for (let page = start.page; page < pages; page++) {
      yield* Effect.tapError(study(page), (error) => stop(page, error))
    }
    yield* save({ page: pages, status: "completed" })
    yield* Console.log("Completed")
  })

const [, , site] = process.argv

const program: Effect.Effect<void, unknown, NodeContext.NodeContext> = site === undefined
  ? demonstrate(pages)
  : Effect.provide(research(site), NodeGateway.layerConfig)

program.pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
