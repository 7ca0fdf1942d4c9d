/** An agent that mends a repository whose tests fail, and has a human look at the result before it leaves its checkout. */
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Approvals, Capabilities } from "kruxos"
import { start } from "./program.js"

/** What the agent is asked to do. */
export interface Job {
  /** The repository, and where to put a checkout of it. */
  readonly repository: string
  readonly checkout: string
  /** The branch that the fix is for. */
  readonly branch: string
  /** How long a human may take to look at it. */
  readonly patience: Duration.DurationInput
}

/** What has become of it. */
export type Report = Data.TaggedEnum<{
  Healthy: {}
  Pushed: { readonly branch: string; readonly commit: string }
  /** A human said no. */
  Refused: { readonly reason: string }
  /** Nobody has decided yet. The request still waits, and the gateway pushes when a human approves it. */
  Undecided: { readonly approvalId: string }
  /** The branch is there already, with other commits. */
  Overtaken: { readonly branch: string }
}>
export const Report = Data.taggedEnum<Report>()

/** The tests of a checkout fail; `output` is all that they said. */
export class TestsFailed extends Data.TaggedError("TestsFailed")<{
  readonly checkout: string
  readonly output: ReadonlyArray<string>
}> {
  override get message() {
    return `The tests in ${this.checkout} fail: ${this.output.at(-1) ?? "they say nothing"}`
  }
}

/** Nobody knows how to mend it. */
export class NoIdea extends Data.TaggedError("NoIdea")<{ readonly message: string }> {}

/** A change to one file of a repository, and why it is made. */
export interface Fix {
  readonly file: string
  readonly replace: string
  readonly by: string
  readonly message: string
}

/** Who finds the mistake: in earnest a language model. */
export class Engineer extends Context.Tag("examples/devops-agent/Engineer")<Engineer, {
  readonly diagnose: (output: ReadonlyArray<string>) => Effect.Effect<Fix, NoIdea>
}>() {}

/** Runs the tests, and shows their output while they run. */
const runTests = (checkout: string) =>
  Effect.gen(function*() {
    yield* Console.log(`Testing ${checkout}`)
    const tests = yield* start("sh test.sh 2>&1", checkout)
    const output = yield* tests.lines.pipe(
      Stream.tap((line) => Console.log(`  | ${line}`)),
      Stream.runCollect,
      Effect.map(Chunk.toReadonlyArray)
    )
    if ((yield* tests.exitCode) !== 0) return yield* new TestsFailed({ checkout, output })
  }).pipe(Effect.scoped, Effect.timeout("5 minutes"))

/** Applies a fix on a branch of its own. It is committed if it mends the tests. */
const apply = ({ branch, checkout }: Job, { by, file, message, replace }: Fix) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    yield* invoke("git.branch", { path: checkout, action: "create", name: branch })
    yield* invoke("git.branch", { path: checkout, action: "switch", name: branch })
    const { diff } = yield* invoke("filesystem.edit", {
      path: `${checkout}/${file}`,
      pattern: replace,
      replace: by,
      expected_replacements: 1
    })
    yield* Console.log(diff.trimEnd())
    yield* runTests(checkout)
    const { commit_hash } = yield* invoke("git.commit", {
      path: checkout,
      message,
      files: [file],
      author_name: "DevOps agent",
      author_email: "agent@example.com"
    })
    yield* Console.log(`Committed ${commit_hash.slice(0, 7)} on ${branch}: ${message}`)
  })

/** Pushing needs a human's approval. The agent waits for it here, and the gateway pushes. */
export const publish = ({ branch, checkout, patience }: Job) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    yield* Console.log(`Asking a human to let ${branch} be pushed`)
    return yield* invoke("git.push", { path: checkout, branch })
  }).pipe(
    Approvals.awaitApproval({ timeout: patience }),
    Effect.map(({ head_commit }): Report => Report.Pushed({ branch, commit: head_commit })),
    Effect.catchTags({
      ApprovalRejected: ({ reason = "no reason was given" }) => Effect.succeed(Report.Refused({ reason })),
      ApprovalTimeout: ({ approvalId }) => Effect.succeed(Report.Undecided({ approvalId })),
      PushRejected: () => Effect.succeed(Report.Overtaken({ branch }))
    })
  )

/** Does the job. Fails with TestsFailed where the fix mends nothing, and then nothing is committed. */
export const repair = (job: Job) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { diagnose } = yield* Engineer
    const { head_commit } = yield* invoke("git.clone", { url: job.repository, path: job.checkout })
    yield* Console.log(`Cloned ${job.repository} at ${head_commit.slice(0, 7)}`)
    return yield* runTests(job.checkout).pipe(
      Effect.as<Report>(Report.Healthy()),
      Effect.catchTag("TestsFailed", ({ output }) =>
        diagnose(output).pipe(
          Effect.flatMap((fix) => apply(job, fix)),
          Effect.zipRight(publish(job))
        ))
    )
  })
