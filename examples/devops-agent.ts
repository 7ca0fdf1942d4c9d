/**
 * An agent that mends a repository: it clones it, runs its tests in the background and shows their output while they run, commits a fix,
 * and pushes it when a human has approved that. One fix is approved. The other one is refused at first, and when the agent asks again the
 * human is out for lunch: it reports that its request still waits, and when that is approved later, the gateway pushes.
 *
 * Run it with `npx tsx examples/devops-agent.ts`. It needs git, no network, and leaves nothing behind. The tests run in a sandbox where
 * bubblewrap works, and else without one, which is right here only because we know what they do.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { Approvals, Capabilities } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as assert from "node:assert/strict"
import { Engineer, type Job, publish, repair, Report } from "./devops-agent/agent.js"
import { makeProject, scriptedEngineer } from "./devops-agent/project.js"
import { decideAll, type Judge, supervise } from "./support/supervisor.js"

const repository = "/workspace/shop"

/** The human, who looks at which checkout is to be pushed. */
const judge: Judge = ({ arguments: given }) =>
  given?.["path"] === "/workspace/first" ? { approve: true } : { reject: "the sale is not over" }

const show = Report.$match({
  Healthy: () => "The tests pass: there is nothing to do",
  Pushed: ({ branch, commit }) => `Pushed ${commit.slice(0, 7)} to ${branch}`,
  Refused: ({ reason }) => `Not pushed: a human refused, because ${reason}`,
  Undecided: ({ approvalId }) => `Not pushed yet: ${approvalId} waits for a human`,
  Overtaken: ({ branch }) => `Not pushed: ${branch} is there already`
})

const job = (name: string): Job => ({
  repository,
  checkout: `/workspace/${name}`,
  branch: `fix/${name}`,
  patience: "30 seconds"
})

const telling = <E, R>(title: string, agent: Effect.Effect<Report, E, R>) =>
  Console.log(`\n${title}`).pipe(
    Effect.zipRight(agent),
    Effect.tap((report) => Console.log(show(report)))
  )

const story = (desk: LocalGateway.Served) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const approvals = yield* Approvals
    yield* makeProject(repository)

    const [first, second] = yield* supervise(desk, judge).pipe(
      Effect.zipRight(Effect.all([
        telling("A first fix", repair(job("first"))),
        telling("A second fix", repair(job("second")))
      ])),
      Effect.scoped
    )
    assert.ok(Report.$is("Pushed")(first))
    assert.deepEqual(second, Report.Refused({ reason: "the sale is not over" }))

    const third = yield* telling(
      "The sale is over, and the human out for lunch",
      publish({ ...job("second"), patience: "1 second" })
    )
    assert.ok(Report.$is("Undecided")(third))

    yield* Console.log("\nThe human is back")
    yield* decideAll(desk, () => ({ approve: true }))
    const outcome = yield* approvals.wait(third.approvalId, { timeout: "30 seconds" })
    yield* Console.log(`${third.approvalId} is ${outcome.status}, and pushed`)
    assert.equal(outcome.status, "approved")

    const { branches } = yield* invoke("git.branch", { path: repository, action: "list" })
    const names = branches.map(({ name }) => name).toSorted()
    yield* Console.log(`\nThe branches of ${repository}: ${names.join(", ")}`)
    assert.deepEqual(names, ["fix/first", "fix/second", "main"])
    const { commits } = yield* invoke("git.log", { path: repository, branch: "fix/first" })
    assert.equal(commits[0]?.hash, first.commit)
    const { total } = yield* invoke("process.list", { state_filter: "running" })
    assert.equal(total, 0)
    yield* Console.log("All as expected.")
  })

const program = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const workspace = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-devops-" })
  const { kind } = yield* LocalGateway.sandboxFacts()
  yield* Console.log(
    kind === "missing"
      ? "The tests run without a sandbox: `kruxos doctor` says why"
      : "The tests run in a sandbox, by bubblewrap"
  )
  const served = yield* LocalGateway.serve({
    workspace,
    dataDirectory: ":memory:",
    port: 0,
    sandbox: kind === "missing" ? "none" : kind
  })
  yield* Console.log(`A gateway listens at ${served.url}; its supervisor decides at ${served.api}`)
  yield* story(served).pipe(Effect.provide(Layer.merge(
    NodeGateway.layer({ host: served.url, apiKey: served.apiKey, agentName: "devops-agent" }),
    Layer.succeed(Engineer, scriptedEngineer)
  )))
}).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Warning))

program.pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
