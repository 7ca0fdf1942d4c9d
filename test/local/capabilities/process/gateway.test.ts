import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Capabilities, type InvocationEvent, Transaction } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { within } from "../../../support/deadline.js"
import { serve, type TestGateway } from "../../../support/gateway.js"
import { sandboxes } from "./support.js"

const connected = ({ key, url }: TestGateway) =>
  Layer.build(NodeGateway.layer({ host: url, apiKey: Redacted.make(key) }))

const messageOf = (event: InvocationEvent<unknown>) => event._tag === "Progress" ? event.message : undefined

describe.each(sandboxes)("process.run at a gateway, in $sandbox", ({ sandbox }) => {
  it.scopedLive("tells each line while the program runs, and then the output", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ sandbox })
      const services = yield* connected(gateway)
      const { invokeStream } = yield* Effect.provide(Capabilities, services)
      const first = yield* Deferred.make<void>()
      const events: Array<InvocationEvent<unknown>> = []
      const command = "echo ünï; until [ -e go ]; do sleep 0.02; done; echo over; exit 3"
      const running = yield* Effect.fork(Stream.runForEach(
        invokeStream("process.run", { command }),
        (event) =>
          Effect.sync(() => events.push(event)).pipe(
            Effect.zipRight(messageOf(event) === "ünï" ? Deferred.succeed(first, undefined) : Effect.void)
          )
      ))
      yield* within("the first line")(Deferred.await(first))
      assert.isFalse(events.some(({ _tag }) => _tag === "Completed"))
      fs.writeFileSync(join(gateway.workspace, "go"), "")
      yield* within("the end")(Fiber.join(running))
      assert.deepStrictEqual(events.flatMap((event) => messageOf(event) ?? []), ["ünï", "over"])
      const last = events.at(-1)
      const output = last?._tag === "Completed" ? last.output : assert.fail("it has not completed")
      assert.deepInclude(output, { stdout: "ünï\nover\n", exit_code: 3, state: "completed" })
    }), 40_000)

  it.scopedLive("is not begun in a transaction that could not undo it", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ sandbox })
      const services = yield* connected(gateway)
      const { invoke } = yield* Effect.provide(Capabilities, services)
      const inTransaction = <A, E>(effect: Effect.Effect<A, E>) => Effect.provide(Transaction.run(effect), services)
      const file = (name: string) => join(gateway.workspace, name)
      const refused = yield* Effect.flip(inTransaction(invoke("process.run", { command: "touch a" })))
      assert.deepInclude(refused, { _tag: "NotReversible", capability: "process.run" })
      assert.isFalse(fs.existsSync(file("a")))

      const touched = invoke("process.run", { command: "touch b" }, {
        compensate: () => invoke("process.run", { command: "rm b" })
      })
      yield* inTransaction(touched)
      assert.isTrue(fs.existsSync(file("b")))
      fs.rmSync(file("b"))
      const failed = yield* Effect.flip(inTransaction(Effect.zipRight(
        touched,
        Effect.suspend(() => Effect.fail(fs.existsSync(file("b")) ? "after it ran" : "it did not run"))
      )))
      assert.strictEqual(failed, "after it ran")
      assert.isFalse(fs.existsSync(file("b")))
    }), 40_000)
})
