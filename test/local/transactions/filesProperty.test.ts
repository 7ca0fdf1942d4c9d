import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Runtime from "effect/Runtime"
import * as fs from "node:fs"
import { dirname } from "node:path"
import { parameters } from "../../support/runs.js"
import { type Call, conflictsOf, mark, prepared, type Step, store } from "./filesSupport.js"

const files = {
  "a": "one two\n",
  "b": "other one\n",
  "d/x": "one x\n",
  "d/y": "y\n",
  "by/stander": "one of no concern"
}

const places = ["a", "b", "new", "d/x", "d/y", "d/new", "e/f/new", "link"]

interface Theirs {
  readonly theirs: string
  readonly how: "in place" | "replaced" | "deleted"
}

type Move = Call | "restore the last one deleted" | "restore over it" | Theirs

const place = FastCheck.constantFrom(...places)
const text = FastCheck.string({ maxLength: 12 })

const own: FastCheck.Arbitrary<Move> = FastCheck.oneof(
  FastCheck.record({ path: place, content: text, create_parents: FastCheck.boolean() }).map((input) => ({
    name: "filesystem.write",
    input
  })),
  FastCheck.record({ path: place, content: text }).map((input) => ({ name: "filesystem.append", input })),
  FastCheck.record({ path: place, content: text }).map((input) => ({ name: "filesystem.append", input })),
  FastCheck.record({ source: place, destination: place, overwrite: FastCheck.boolean() }).map((input) => ({
    name: "filesystem.copy",
    input
  })),
  FastCheck.record({ source: place, destination: place, overwrite: FastCheck.boolean() }).map((input) => ({
    name: "filesystem.move",
    input
  })),
  place.map((path) => ({ name: "filesystem.delete", input: { path } })),
  FastCheck.constantFrom<Move>("restore the last one deleted", "restore over it"),
  FastCheck.constantFrom(".", "d").map((path) => ({
    name: "filesystem.edit",
    input: { path, pattern: "one", replace: "one one", include_glob: "{a,b,*new,x,y}", replace_all: true }
  }))
)

const directories: FastCheck.Arbitrary<Move> = FastCheck.oneof(
  FastCheck.constantFrom("d", "e", "e/f", "g").chain((source) =>
    FastCheck.constantFrom("d/in", "g", "e").map((destination) => ({
      name: "filesystem.move",
      input: { source, destination, overwrite: false }
    }))
  ),
  FastCheck.constantFrom("d", "e", "e/f").map((path) => ({ name: "filesystem.delete", input: { path } }))
)

const theirs: FastCheck.Arbitrary<Move> = FastCheck.record({
  theirs: FastCheck.constantFrom("a", "b", "new", "d/x", "d/y", "d/new"),
  how: FastCheck.constantFrom<Theirs["how"]>("in place", "replaced", "deleted")
})

const arranged = Effect.gen(function*() {
  const made = yield* prepared(files)
  fs.symlinkSync("a", made.host("link"))
  fs.writeFileSync(made.host("before"), "deleted before")
  mark(made.host, [...Object.keys(files), "before"])
  yield* made.step({ name: "filesystem.delete", input: { path: "before" } })
  return made
})

type Made = Effect.Effect.Success<typeof arranged>

const callOf = (made: Made, move: Exclude<Move, Theirs>): Call => {
  if (typeof move !== "string") return move
  const trashed = made.trashed().filter((name) => !name.startsWith("kept-"))
  const last = trashed.at(trashed.length - 1) ?? "nothing"
  return {
    name: "filesystem.restore",
    input: { trash_path: `/workspace/.kruxos-trash/${last}`, overwrite: move === "restore over it" }
  }
}

/** Somebody else changes a file; undefined where that cannot be, or would change another one. */
const change = (made: Made, { how, theirs }: Theirs, text: string): string | null | undefined => {
  const path = made.host(theirs)
  if (!fs.existsSync(dirname(path))) return undefined
  const status = fs.lstatSync(path, { throwIfNoEntry: false })
  if (how === "deleted" ? status === undefined : status !== undefined && !status.isFile()) return undefined
  if (how === "deleted") {
    fs.unlinkSync(path)
    return null
  }
  if (how === "replaced") {
    fs.writeFileSync(`${path}.theirs`, text)
    fs.renameSync(`${path}.theirs`, path)
  } else {
    fs.writeFileSync(path, text)
  }
  return text
}

const takesAway = ({ call: { input, name } }: Step, path: string): boolean =>
  name === "filesystem.delete" ? input["path"] === path : name === "filesystem.move" && input["source"] === path

const contentsOf = (made: Made): { readonly [path: string]: string } =>
  Object.fromEntries(
    Object.keys(made.tree()).filter((path) => fs.lstatSync(made.host(path)).isFile())
      .map((path) => [path, fs.readFileSync(made.host(path), "utf8")])
  )

const recordsOf = (made: Made) =>
  Effect.map(
    Effect.forEach(made.trashed(), (name) => made.trash.find(`/workspace/.kruxos-trash/${name}`)),
    (found) => found.map((entry) => entry._tag)
  )

const check = (
  moves: FastCheck.Arbitrary<ReadonlyArray<Move>>,
  times: number,
  test: (
    moves: ReadonlyArray<Move>
  ) => Effect.Effect<void>
) =>
  Effect.flatMap(Effect.runtime<never>(), (runtime) =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(moves, (given) => Runtime.runPromise(runtime)(test(given))),
        parameters(times)
      )
    ))

describe("random steps that change files", () => {
  it.effect(
    "are undone in reverse to exactly what was there",
    () =>
      check(
        FastCheck.array(FastCheck.oneof({ weight: 5, arbitrary: own }, { weight: 1, arbitrary: directories }), {
          minLength: 1,
          maxLength: 12
        }),
        500,
        (moves) =>
          Effect.gen(function*() {
            const made = yield* arranged
            const was = made.tree()
            const trash = made.trashed()
            const steps: Array<Step> = []
            for (const move of moves) {
              if (typeof move !== "string" && "theirs" in move) continue
              const step = yield* made.step(callOf(made, move))
              if (step !== undefined) steps.push(step)
            }
            assert.deepStrictEqual(conflictsOf(yield* made.rollBack(steps)), [])
            assert.deepStrictEqual(made.tree(), was)
            assert.deepStrictEqual(made.trashed(), trash)
            assert.deepStrictEqual(yield* recordsOf(made), ["Some"])
          }).pipe(Effect.scoped, Effect.provide(store), Effect.orDie)
      ),
    300_000
  )

  it.effect(
    "leave alone what somebody else changes at random moments, and restore the rest",
    () =>
      check(
        FastCheck.array(FastCheck.oneof({ weight: 4, arbitrary: own }, { weight: 1, arbitrary: theirs }), {
          minLength: 1,
          maxLength: 12
        }),
        500,
        (moves) =>
          Effect.gen(function*() {
            const made = yield* arranged
            const changed = new Map<string, string | null>()
            const reported = new Set<string>()
            const either = new Set<string>()
            const was = contentsOf(made)
            const steps: Array<Step> = []
            for (const [index, move] of moves.entries()) {
              if (typeof move !== "string" && "theirs" in move) {
                if (changed.has(move.theirs)) continue
                const now = change(made, move, `theirs ${index}`)
                if (now === undefined) continue
                // What they delete may be another file, and the one that the step had taken away comes back.
                if (now === null && steps.some((step) => takesAway(step, move.theirs))) either.add(move.theirs)
                changed.set(move.theirs, now)
                const isOurs = steps.some(({ call: { input, name } }) =>
                  name === "filesystem.write" && input["path"] === move.theirs
                )
                if (isOurs && now !== null) reported.add(move.theirs)
              } else {
                const step = yield* made.step(callOf(made, move))
                if (step !== undefined) steps.push(step)
              }
            }
            const conflicts = conflictsOf(yield* made.rollBack(steps))
            const is = contentsOf(made)
            const back = [...either].filter((path) => is[path] !== undefined).map((path) => [path, was[path]])
            const expected = { ...was, ...Object.fromEntries(changed), ...Object.fromEntries(back) }
            assert.deepStrictEqual(
              is,
              Object.fromEntries(Object.entries(expected).filter(([, content]) => content !== null))
            )
            for (const path of reported) {
              assert.include(conflicts.map(({ resource }) => resource), `/workspace/${path}`)
            }
            if (changed.size === 0) assert.deepStrictEqual(conflicts, [])
            // What is kept beyond the rollback can be restored.
            assert.notInclude(yield* recordsOf(made), "None")
          }).pipe(Effect.scoped, Effect.provide(store), Effect.orDie)
      ),
    300_000
  )
})
