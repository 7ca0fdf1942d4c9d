import { assert, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Runtime from "effect/Runtime"
import { Approvals, Capabilities, State, Transaction, type TransactionMode } from "kruxos"
import { until } from "../support/deadline.js"
import { parameters } from "../support/runs.js"
import type { GatewayLayer } from "./GatewayLayer.js"
import { whereItHolds } from "./leftOut.js"
import { carryOut, prepare, snapshot, type Step, step } from "./transactionPrograms.js"

const written: ReadonlyArray<Step> = [
  { do: "write", file: "a.txt", content: "changed" },
  { do: "append", file: "old/e.txt", content: " and new" },
  { do: "write", file: "new/deep/d.txt", content: "created" },
  { do: "move", file: "old/e.txt", to: "b.txt", overwrite: false },
  { do: "set", tier: "session", key: "one", value: "after" },
  { do: "set", tier: "persistent", key: "one", value: "after" },
  { do: "set", tier: "shared", key: "two", value: "after" },
  { do: "unset", tier: "shared", key: "one" }
]

const all = (folder: string, steps = written) =>
  Effect.forEach(steps, (step) => carryOut(step, folder), { discard: true })

const folders = (() => {
  let count = 0
  return () => `transactions-${++count}`
})()

/** A folder in which something is, what that is, and somebody else's folder beside it. */
const prepared = Effect.gen(function*() {
  const folder = folders()
  yield* prepare(folder)
  const bystander = folders()
  yield* prepare(bystander)
  const before = yield* snapshot(folder)
  const others = yield* snapshot(bystander)
  return {
    folder,
    before,
    isUntouched: Effect.gen(function*() {
      assert.deepStrictEqual(yield* snapshot(folder), before)
      assert.deepStrictEqual(yield* snapshot(bystander), others)
    }),
    isDone: Effect.gen(function*() {
      const twin = folders()
      yield* prepare(twin)
      yield* all(twin)
      assert.deepStrictEqual(yield* snapshot(folder), yield* snapshot(twin))
      assert.deepStrictEqual(yield* snapshot(bystander), others)
    })
  }
})

// The supervisor is told of each write.
const quiet = Logger.minimumLogLevel(LogLevel.Warning)

/** What holds for the Transaction of every layer. */
export const transactionsSuite = ({ layer: gateway, name, pushes }: GatewayLayer, mode: TransactionMode) =>
  layer(Layer.provide(gateway, quiet), { excludeTestServices: true })(`Transaction (${name})`, (it) => {
    const effectWhereItHolds = whereItHolds(it.effect, "Transaction", name)

    it.effect("does all of it", () =>
      Effect.gen(function*() {
        const { folder, isDone } = yield* prepared
        yield* Transaction.run(all(folder))
        yield* isDone
      }))

    it.effect("does nothing of it when it fails, dies or is interrupted", () =>
      Effect.gen(function*() {
        const { folder, isUntouched } = yield* prepared
        const failed = Transaction.run(Effect.zipRight(all(folder), Effect.fail("no")))
        assert.strictEqual(yield* Effect.flip(failed), "no")
        yield* isUntouched
        const died = yield* Effect.exit(Transaction.run(Effect.zipRight(all(folder), Effect.die("a bug"))))
        assert.deepStrictEqual(died, Exit.die("a bug"))
        yield* isUntouched
        const done = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          Transaction.run(
            all(folder).pipe(Effect.zipRight(Deferred.succeed(done, undefined)), Effect.zipRight(Effect.never))
          )
        )
        yield* Deferred.await(done)
        const interrupted = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isFailure(interrupted) && Cause.isInterruptedOnly(interrupted.cause))
        yield* isUntouched
      }))

    it.effect("does nothing of it when it takes too long", () =>
      Effect.gen(function*() {
        const { folder, isUntouched } = yield* prepared
        const slow = Effect.zipRight(
          all(folder, written.slice(0, 2)),
          pushes ? Effect.never : Effect.sleep("3 seconds")
        )
        const error = yield* Effect.flip(Transaction.run(slow, { timeout: "2 seconds" }))
        assert.strictEqual(error._tag, "TransactionTimeout")
        yield* isUntouched
      }))

    it.effect("does nothing of it when its scope closes, and all of it when it is committed before", () =>
      Effect.gen(function*() {
        const { folder, isDone, isUntouched } = yield* prepared
        yield* Effect.scoped(Effect.flatMap(Transaction.begin(), (transaction) => transaction.inside(all(folder))))
        yield* isUntouched
        yield* Effect.scoped(Effect.gen(function*() {
          const transaction = yield* Transaction.begin()
          yield* transaction.inside(all(folder))
          yield* transaction.commit
        }))
        yield* isDone
      }))

    it.effect("is undone when it is asked to, and says what it was", () =>
      Effect.gen(function*() {
        const { folder, isUntouched } = yield* prepared
        const transaction = yield* Transaction.begin()
        assert.strictEqual(transaction.mode, mode)
        const path = `/workspace/${folder}/a.txt`
        yield* transaction.invoke("filesystem.write", { path, content: "changed" })
        const report = yield* transaction.rollback
        assert.deepStrictEqual(report, { rolledBack: ["filesystem.write"], notReversible: [], conflicts: [] })
        assert.deepStrictEqual(yield* transaction.rollback, report)
        const error = yield* Effect.flip(transaction.invoke("filesystem.write", { path, content: "changed" }))
        assert.strictEqual(error._tag, "TransactionClosed")
        yield* isUntouched
      }).pipe(Effect.scoped))

    it.effect("leaves what others in parallel do", () =>
      Effect.gen(function*() {
        const one = yield* prepared
        const other = yield* prepared
        const plain = yield* prepared
        const [failed] = yield* Effect.all([
          Effect.exit(Transaction.run(Effect.zipRight(all(one.folder), Effect.fail("no")))),
          Transaction.run(all(other.folder)),
          all(plain.folder)
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual(failed, Exit.fail("no"))
        yield* one.isUntouched
        yield* other.isDone
        yield* plain.isDone
      }))

    it.effect("goes on where one inside it has failed, and undoes what is inside with the rest", () =>
      Effect.gen(function*() {
        const { folder, isDone, isUntouched } = yield* prepared
        const [first, rest] = [written.slice(0, 3), written.slice(3)]
        const spoil: ReadonlyArray<Step> = [
          { do: "write", file: "a.txt", content: "spoilt" },
          { do: "move", file: "new/deep/d.txt", to: "new/c.txt", overwrite: true },
          { do: "set", tier: "persistent", key: "one", value: "spoilt" },
          { do: "set", tier: "shared", key: "one", value: "spoilt" }
        ]
        const nested = Effect.gen(function*() {
          yield* all(folder, first)
          const inner = Transaction.run(Effect.zipRight(all(folder, spoil), Effect.fail("no")))
          assert.strictEqual(yield* Effect.flip(inner), "no")
          yield* Transaction.run(all(folder, rest))
        })
        yield* Effect.exit(Transaction.run(Effect.zipRight(nested, Effect.fail("no"))))
        yield* isUntouched
        yield* Transaction.run(nested)
        yield* isDone
      }))

    effectWhereItHolds(
      "shows nobody else what is written to the state",
      () =>
        Effect.gen(function*() {
          const { before, folder } = yield* prepared
          const steps = written.filter((step) => step.do === "set" && step.tier !== "session")
          yield* Transaction.run(Effect.gen(function*() {
            yield* all(folder, steps)
            assert.deepStrictEqual((yield* snapshot(folder)).state, before.state)
            const { persistent } = yield* State
            const seen = yield* persistent.get(`${folder}.one`)
            assert.propertyVal(seen, "_tag", "Some")
            assert.deepNestedInclude(seen, { "value.value": "after" })
          }))
          assert.notDeepEqual((yield* snapshot(folder)).state, before.state)
        })
    )

    effectWhereItHolds(
      "fails where somebody else has written a key since",
      () =>
        Effect.gen(function*() {
          const { folder } = yield* prepared
          const before = yield* snapshot(folder)
          const conflicting = Transaction.run(Effect.gen(function*() {
            yield* all(folder)
            yield* Transaction.outside(carryOut({ do: "set", tier: "persistent", key: "one", value: "theirs" }, folder))
          }))
          assert.strictEqual((yield* Effect.flip(conflicting))._tag, "VersionConflict")
          const after = yield* snapshot(folder)
          assert.deepStrictEqual(after.files, before.files)
          assert.deepStrictEqual(
            after.state,
            before.state.map((line) => line.startsWith("persistent one") ? "persistent one: \"theirs\"" : line)
          )
        })
    )

    it.effect("keeps what somebody else has made of a file since, and says so", () =>
      Effect.gen(function*() {
        const { folder } = yield* prepared
        const path = `/workspace/${folder}/a.txt`
        const { invoke } = yield* Capabilities
        const error = yield* Transaction.run(Effect.gen(function*() {
          yield* all(folder)
          yield* Transaction.outside(invoke("filesystem.write", { path, content: "theirs" }))
          yield* Effect.fail("no")
        })).pipe(Effect.flip)
        assert.deepNestedInclude(error, { _tag: "RollbackIncomplete", cause: "no", "conflicts[0].resource": path })
        assert.strictEqual((yield* invoke("filesystem.read", { path })).content, "theirs")
        assert.isFalse((yield* invoke("filesystem.stat", { path: `/workspace/${folder}/b.txt` })).exists)
      }))

    it.effect("does not begin what cannot be undone, unless it is told how to", () =>
      Effect.gen(function*() {
        const { folder, isUntouched } = yield* prepared
        const { invoke } = yield* Capabilities
        const alerts = Effect.map(invoke("alerts.list", {}), (output) => output.alerts.length)
        const count = yield* alerts
        const refused = Effect.zipRight(all(folder), invoke("alerts.send", { message: "transaction" }))
        assert.strictEqual((yield* Effect.flip(Transaction.run(refused)))._tag, "NotReversible")
        assert.strictEqual(yield* alerts, count)
        yield* isUntouched

        const compensated: Array<string> = []
        const alert = invoke("alerts.send", { message: "transaction" }, {
          compensate: ({ alert_id }) =>
            Effect.zipRight(
              invoke("alerts.acknowledge", { alert_id }),
              Effect.sync(() => compensated.push(alert_id))
            )
        })
        const { alert_id } = yield* Transaction.run(alert)
        assert.deepStrictEqual(compensated, [])
        const failing = Transaction.run(all(folder).pipe(Effect.zipRight(alert), Effect.zipRight(Effect.fail("no"))))
        assert.strictEqual(yield* Effect.flip(failing), "no")
        assert.lengthOf(compensated, 1)
        assert.notInclude(compensated, alert_id)
        yield* isUntouched
      }))

    it.effect("refuses a fiber that outlives it", () =>
      Effect.gen(function*() {
        const { folder, isDone } = yield* prepared
        const end = yield* Deferred.make<void>()
        const leaked = yield* Transaction.run(Effect.zipRight(
          all(folder),
          Effect.forkDaemon(Effect.zipRight(Deferred.await(end), all(folder)))
        ))
        yield* Deferred.succeed(end, undefined)
        assert.strictEqual((yield* Effect.flip(Fiber.join(leaked)))._tag, "TransactionClosed")
        yield* isDone
      }))

    effectWhereItHolds(
      "is rolled back when a step of it is not approved",
      () =>
        Effect.gen(function*() {
          const { folder, isUntouched } = yield* prepared
          const approvals = yield* Approvals
          const { invoke } = yield* Capabilities
          const pending = Effect.map(
            approvals.list({ status: "pending" }),
            (requests) => requests.map(({ approvalId }) => approvalId)
          )
          const earlier = new Set(yield* pending)
          const deleting = yield* Effect.fork(
            all(folder).pipe(
              Effect.zipRight(invoke("filesystem.delete", { path: `/workspace/${folder}/a.txt` })),
              Approvals.awaitApproval(),
              Transaction.run,
              Effect.flip
            )
          )
          yield* until(
            "the request",
            Effect.map(pending, (ids) => ids.some((id) => !earlier.has(id)))
          )
          for (const id of yield* pending) if (!earlier.has(id)) yield* approvals.withdraw(id)
          assert.include(["ApprovalExpired", "TransactionClosed"], (yield* Fiber.join(deleting))._tag)
          yield* isUntouched
        })
    )

    it.effect(
      "of any steps that ends at any of them leaves no trace, and else all of them",
      () =>
        Effect.gen(function*() {
          const runtime = yield* Effect.runtime<Capabilities | Transaction>()
          const steps = FastCheck.array(step, { minLength: 1, maxLength: 20 })
          const programs = FastCheck.record({
            steps,
            failsAt: FastCheck.option(FastCheck.nat(20), { nil: undefined }),
            savepointAt: FastCheck.nat(20)
          })
          yield* Effect.promise(() =>
            FastCheck.assert(
              FastCheck.asyncProperty(programs, ({ failsAt, savepointAt, steps }) =>
                Runtime.runPromise(runtime)(Effect.gen(function*() {
                  const [folder, twin] = [folders(), folders()]
                  yield* prepare(folder)
                  yield* prepare(twin)
                  const before = yield* snapshot(folder)
                  // A step that is refused changes nothing, and is none of the failures that are meant here.
                  const done = (given: ReadonlyArray<Step>, where: string) =>
                    Effect.forEach(given, (step) => Effect.either(carryOut(step, where)), { discard: true })
                  const [outer, inner] = [steps.slice(0, savepointAt), steps.slice(savepointAt)]
                  if (failsAt === undefined) {
                    yield* Transaction.run(Effect.zipRight(done(outer, folder), Transaction.run(done(inner, folder))))
                    yield* done(steps, twin)
                    assert.deepStrictEqual(yield* snapshot(folder), yield* snapshot(twin))
                  } else {
                    const cut = Effect.zipRight(done(inner.slice(0, failsAt), folder), Effect.fail("no"))
                    const failing = Transaction.run(Effect.zipRight(done(outer, folder), Transaction.run(cut)))
                    assert.strictEqual(yield* Effect.flip(failing), "no")
                    assert.deepStrictEqual(yield* snapshot(folder), before)
                  }
                }))),
              parameters(100)
            )
          )
        }),
      60_000
    )
  })
