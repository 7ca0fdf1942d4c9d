/**
 * The kit in a program by itself: the same agent, against a gateway in memory. At first the script says nothing of the agent's tests, which
 * the gateway tells how to mend; then a human takes an hour and a half, which takes no time.
 *
 * Run it with `npx tsx examples/testing/withoutVitest.ts`. It needs no network and leaves nothing behind.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { MockGateway, Reply } from "kruxos/testing"
import * as assert from "node:assert/strict"
import { numberKey, release } from "./agent.js"

const settings = {
  policy: { tiers: { "email.send": "approval_required" } },
  state: { shared: { [numberKey]: 6 } },
  files: { "NEXT.md": "- It is faster.\n" }
} as const

const unscripted = Effect.gen(function*() {
  const { verify } = yield* MockGateway
  const error = yield* Effect.flip(release("readers@example.com"))
  yield* Console.log(error.message)
  const mismatch = yield* Effect.flip(verify)
  yield* Console.log(`\n${mismatch.message}`)
  assert.equal(mismatch.mismatches.length, 1)
}).pipe(Effect.provide(MockGateway.layer(settings)))

const late = Effect.gen(function*() {
  const { humans, invocations, verify } = yield* MockGateway
  yield* humans.approve("email.send", { after: "90 minutes" })
  const releasing = yield* Effect.fork(release("readers@example.com"))
  const { capability, requestedAt } = yield* humans.asked("email.send", { while: releasing })
  yield* Console.log(`\n${DateTime.formatIso(requestedAt)} ${capability} waits for approval`)
  yield* TestClock.adjust("90 minutes")
  const number = yield* Fiber.join(releasing)
  yield* Console.log(`${DateTime.formatIso(yield* DateTime.now)} release ${number} is out; what the agent invoked:`)
  const names = (yield* invocations).map((invocation) => invocation.capability)
  yield* Effect.forEach(names, (name) => Console.log(`  ${name}`))
  yield* verify
  assert.equal(number, 7)
  assert.equal(names.at(-1), "email.send")
}).pipe(Effect.provide(MockGateway.layer({
  ...settings,
  capabilities: {
    "process.run": Reply.process(),
    "email.send": Reply.buffered("1 minute")
  }
})))

const program = Effect.zipRight(unscripted, late).pipe(
  Effect.zipRight(Console.log("\nAll as expected.")),
  Effect.provide(TestContext.TestContext)
)

NodeRuntime.runMain(program)
