import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as Format from "../../../src/local/archive/backupFormat.js"
import { letOthersRun } from "../../../src/local/letOthersRun.js"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { quietly } from "../../support/gateway.js"
import { parameters, runs } from "../../support/runs.js"
import { contentOf, fileOf, put, remove, restorer, versionsOf, withBackups } from "./support.js"

const spaces = ["one", "two", "*"] as const

interface Operation {
  readonly space: typeof spaces[number]
  readonly key: string
  readonly value: unknown
  readonly isRemoval: boolean
}

const operation: FastCheck.Arbitrary<Operation> = FastCheck.record({
  space: FastCheck.constantFrom(...spaces),
  // In the order of their bytes, which is not that of their halves.
  key: FastCheck.constantFrom("a", "ab", "b", "é", "\uffee", "😀", "%", "_"),
  value: FastCheck.jsonValue({ maxDepth: 2 }),
  isRemoval: FastCheck.integer({ min: 0, max: 3 }).map((number) => number === 0)
})

const operations = FastCheck.array(operation, { maxLength: 40 })

const run = (all: ReadonlyArray<Operation>, from: number) =>
  Effect.forEach(
    all,
    ({ isRemoval, key, space, value }, index) =>
      isRemoval
        ? Effect.asVoid(remove(space, key, from + index))
        : Effect.asVoid(put(space, key, value, from + index)),
    { discard: true }
  )

const contents = Effect.forEach(spaces, contentOf)

const placeOf = Schema.decodeSync(Schema.parseJson(Schema.Tuple(Schema.String, Schema.String, Schema.Number)))

/** The value of each version that is kept, as text, by its agent, key and number. */
const numbered = Effect.gen(function*() {
  const state = yield* PersistentState
  const values = new Map<string, string>()
  for (const agent of ["one", "two"]) {
    for (const key of (yield* versionsOf(agent)).keys()) {
      for (const { value, version } of yield* state.history(agent, key)) {
        values.set(JSON.stringify([agent, key, version]), JSON.stringify(value))
      }
    }
  }
  return values
})

describe("a backup that is restored", () => {
  it.effect(
    "gives what a model says, and no number of a version a second value",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            operations,
            operations,
            FastCheck.constantFrom(undefined, "one", "two"),
            FastCheck.constantFrom(undefined, "one", "two"),
            (before, after, made, wanted) =>
              Effect.runPromise(quietly(withBackups((backups) =>
                Effect.gen(function*() {
                  yield* run(before, 1000)
                  const then = yield* contents
                  const numbersThen = yield* numbered
                  const { id } = yield* backups.create(made)
                  yield* run(after, 2000)
                  const now = yield* contents
                  const numbersNow = yield* numbered
                  const exit = yield* Effect.either(backups.restore(id, wanted, restorer))
                  const isHeld = made === undefined || wanted === undefined || made === wanted
                  assert.strictEqual(exit._tag, isHeld ? "Right" : "Left")
                  const isRestored = (space: string) =>
                    isHeld && (wanted === undefined || wanted === space) && (made === undefined || made === space)
                  const expected = spaces.map((space, index) => isRestored(space) ? then[index] : now[index])
                  assert.deepStrictEqual(yield* contents, expected)
                  const numbers = yield* numbered
                  for (const known of [numbersThen, numbersNow]) {
                    for (const [place, value] of known) assert.include([value, undefined], numbers.get(place))
                  }
                  for (const [agent, index] of [["one", 0], ["two", 1]] as const) {
                    const key = then[index]?.entries[0]?.key ?? "a"
                    const version = (yield* versionsOf(agent)).get(key) ?? 0
                    const highest = Math.max(
                      version,
                      ...[...numbersThen.keys(), ...numbersNow.keys()].flatMap((place) => {
                        const [owner, of, number] = placeOf(place)
                        return owner === agent && of === key ? [number] : []
                      })
                    )
                    assert.isAbove(yield* put(agent, key, "next"), highest)
                  }
                })
              )))
          ),
          parameters(100)
        )
      ),
    120_000
  )

  it.effect("that fails half-way changes nothing", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        for (const space of spaces) for (const key of ["a", "b", "c"]) yield* put(space, key, "before")
        const { id } = yield* backups.create(undefined)
        for (const space of spaces) {
          yield* remove(space, "a")
          for (const key of ["b", "d"]) yield* put(space, key, "after")
        }
        const after = yield* contents
        const versions = yield* Effect.forEach(spaces, versionsOf)
        for (const [space, key] of [["*", "b"], ["one", "a"], ["two", "b"]]) {
          yield* sql.unsafe(
            `CREATE TRIGGER broken BEFORE INSERT ON state_versions WHEN NEW.space = '${space}' AND NEW.entry_key = '${key}'
              BEGIN SELECT RAISE(ABORT, 'made up'); END`
          ).unprepared
          assert.strictEqual((yield* Effect.flip(backups.restore(id, undefined, restorer)))._tag, "SqlError")
          yield* sql.unsafe("DROP TRIGGER broken").unprepared
          assert.deepStrictEqual(yield* contents, after)
          assert.deepStrictEqual(yield* Effect.forEach(spaces, versionsOf), versions)
        }
        yield* backups.restore(id, undefined, restorer)
        assert.notDeepEqual(yield* contents, after)
      })
    ))

  it.effect("that is interrupted changes all or nothing", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        const large = "x".repeat(300_000)
        for (const space of spaces) {
          for (let key = 0; key < 10; key++) yield* put(space, `key-${key}`, { key, large })
        }
        const before = yield* contents
        const { id } = yield* backups.create(undefined)
        let interrupted = 0
        for (let pauses = 0; pauses < runs(40); pauses++) {
          for (const space of spaces) yield* put(space, "key-5", "after")
          const after = yield* contents
          const restoring = yield* Effect.fork(backups.restore(id, undefined, restorer))
          for (let pause = 0; pause < pauses * 2; pause++) yield* letOthersRun
          const exit = yield* Fiber.interrupt(restoring)
          const found = yield* contents
          if (exit._tag === "Success") assert.deepStrictEqual(found, before)
          else {
            interrupted++
            assert.deepStrictEqual(found, after)
            for (const space of spaces) yield* put(space, "key-5", "again")
          }
        }
        assert.isAbove(interrupted, 0)
      })
    ), 120_000)
})

describe("a backup that is not as it was made", () => {
  it.effect(
    "is refused whichever of its bytes is another one, or missing, or one too many",
    () =>
      quietly(withBackups((backups, directory) =>
        Effect.gen(function*() {
          yield* put("one", "a", "before")
          const { id } = yield* backups.create("one")
          yield* put("one", "a", "after")
          const after = yield* contents
          const file = fileOf(directory, id)
          const genuine = fs.readFileSync(file)
          const refused = (bytes: Buffer, what: string) =>
            Effect.gen(function*() {
              fs.writeFileSync(file, bytes)
              const failure = yield* Effect.flip(backups.restore(id, undefined, restorer))
              assert.strictEqual(failure._tag, "DecryptionFailed", what)
            })
          for (let position = 0; position < genuine.length; position += 11 - runs(10)) {
            const flipped = Buffer.from(genuine)
            flipped[position] = (flipped[position] ?? 0) ^ (1 << (position % 8))
            yield* refused(flipped, `byte ${position}`)
            yield* refused(genuine.subarray(0, position), `${position} bytes`)
          }
          yield* refused(Buffer.concat([genuine, Buffer.of(0)]), "one more byte")
          yield* refused(Buffer.concat([genuine, genuine]), "twice")
          assert.deepStrictEqual(yield* contents, after)
          fs.writeFileSync(file, genuine)
          yield* backups.restore(id, undefined, restorer)
          assert.notDeepEqual(yield* contents, after)
        })
      )),
    60_000
  )

  it.effect("is refused where its chunks are in another order, repeated or missing", () =>
    quietly(withBackups((backups, directory) =>
      Effect.gen(function*() {
        const large = "x".repeat(900_000)
        for (let key = 0; key < 8; key++) yield* put("one", `key-${key}`, { key, large })
        const { id } = yield* backups.create("one")
        yield* put("one", "key-0", "after")
        const after = yield* contents
        const file = fileOf(directory, id)
        const genuine = fs.readFileSync(file)
        const length = Format.headerLength(genuine.subarray(0, Format.prefixBytes)) ?? 0
        const head = genuine.subarray(0, Format.prefixBytes + length)
        const chunks: Array<Buffer> = []
        for (let position = head.length; position < genuine.length;) {
          const end = position + 4 + genuine.readUInt32BE(position)
          chunks.push(genuine.subarray(position, end))
          position = end
        }
        assert.isAtLeast(chunks.length, 3)
        const [first, second, ...rest] = chunks
        if (first === undefined || second === undefined) return assert.fail("there are chunks")
        for (
          const order of [
            [second, first, ...rest],
            [first, ...rest],
            [first, first, second, ...rest],
            chunks.slice(0, -1),
            [...chunks, ...chunks.slice(-1)],
            []
          ]
        ) {
          fs.writeFileSync(file, Buffer.concat([head, ...order]))
          const failure = yield* Effect.flip(backups.restore(id, undefined, restorer))
          assert.strictEqual(failure._tag, "DecryptionFailed")
        }
        assert.deepStrictEqual(yield* contents, after)
      })
    )))
})
