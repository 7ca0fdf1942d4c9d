import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { Capabilities, type KruxosError, Transaction } from "kruxos"
import { at } from "../support/json.js"

/** What one step of a program does, in a folder and below a prefix of keys that are its own. */
export type Step =
  | { readonly do: "write" | "append"; readonly file: string; readonly content: string }
  | { readonly do: "edit"; readonly file: string; readonly pattern: string; readonly replace: string }
  | { readonly do: "copy" | "move"; readonly file: string; readonly to: string; readonly overwrite: boolean }
  | {
    readonly do: "set"
    readonly tier: "session" | "persistent" | "shared"
    readonly key: string
    readonly value: string
  }
  | { readonly do: "unset"; readonly tier: "session" | "persistent" | "shared"; readonly key: string }

const file = FastCheck.constantFrom("a.txt", "b.txt", "new/c.txt", "new/deep/d.txt", "old/e.txt")

const key = FastCheck.constantFrom("one", "two")

const tier = FastCheck.constantFrom("session" as const, "persistent" as const, "shared" as const)

const content = FastCheck.constantFrom("", "one\n", "two\ntwo", "Äö 🦑\r\n", "x".repeat(10_000))

export const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  FastCheck.record({ do: FastCheck.constantFrom("write" as const, "append" as const), file, content }),
  FastCheck.record({
    do: FastCheck.constant("edit" as const),
    file,
    pattern: FastCheck.constantFrom("one", "two"),
    replace: FastCheck.constantFrom("", "three", "two")
  }),
  FastCheck.record({
    do: FastCheck.constantFrom("copy" as const, "move" as const),
    file,
    to: file,
    overwrite: FastCheck.boolean()
  }),
  FastCheck.record({ do: FastCheck.constant("set" as const), tier, key, value: content }),
  FastCheck.record({ do: FastCheck.constant("unset" as const), tier, key })
)

/** Carries a step out; what the gateway refuses, such as to edit what is not there, changes nothing. */
export const carryOut = (step: Step, folder: string): Effect.Effect<unknown, KruxosError, Capabilities> =>
  Effect.flatMap(Capabilities, ({ invoke }): Effect.Effect<unknown, KruxosError> => {
    const at = (name: string) => `/workspace/${folder}/${name}`
    switch (step.do) {
      case "write":
        return invoke("filesystem.write", { path: at(step.file), content: step.content, create_parents: true })
      case "append":
        return invoke("filesystem.append", { path: at(step.file), content: step.content })
      case "edit":
        return invoke("filesystem.edit", {
          path: at(step.file),
          pattern: step.pattern,
          replace: step.replace,
          replace_all: true
        })
      case "copy":
      case "move":
        return invoke(`filesystem.${step.do}`, {
          source: at(step.file),
          destination: at(step.to),
          overwrite: step.overwrite
        })
      case "set": {
        const key = `${folder}.${step.key}`
        if (step.tier !== "shared") return invoke(`state.${step.tier}.set`, { key, value: step.value })
        return invoke("state.shared.get", { key }).pipe(
          Effect.map(({ version = 0 }) => version),
          Effect.catchTag("KeyNotFound", () => Effect.succeed(0)),
          Effect.flatMap((version) => invoke("state.shared.set", { key, value: step.value, expected_version: version }))
        )
      }
      case "unset":
        return invoke(`state.${step.tier}.delete`, { key: `${folder}.${step.key}` })
    }
  })

/** What every program begins with: two files, one of them in a folder, and a key in each tier. */
export const prepare = (folder: string) =>
  Effect.forEach(
    [
      { do: "write", file: "a.txt", content: "one\ntwo\n" },
      { do: "write", file: "old/e.txt", content: "old" },
      { do: "set", tier: "session", key: "one", value: "before" },
      { do: "set", tier: "persistent", key: "one", value: "before" },
      { do: "set", tier: "shared", key: "one", value: "before" }
    ] satisfies ReadonlyArray<Step>,
    (step) => carryOut(step, folder),
    { discard: true }
  )

const filesIn = (folder: string): Effect.Effect<ReadonlyArray<readonly [string, string]>, KruxosError, Capabilities> =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { entries } = yield* invoke("filesystem.list", { path: folder, include_hidden: true })
    const found = yield* Effect.forEach(entries, ({ name, type }) => {
      const path = `${folder}/${name}`
      return type === "directory"
        ? Effect.map(
          filesIn(path),
          (below) => [[`${name}/`, ""] as const, ...below.map(([n, c]) => [`${name}/${n}`, c] as const)]
        )
        : Effect.map(invoke("filesystem.read", { path }), ({ content }) => [[name, content] as const])
    })
    return Arr.flatten(found)
  })

const tiers = ["session", "persistent", "shared"] as const

/** All that is in a folder and below a prefix of keys, as everybody sees it who is in no transaction. */
export const snapshot = (folder: string) =>
  Transaction.outside(Effect.gen(function*() {
    const { invokeDynamic } = yield* Capabilities
    const files = yield* filesIn(`/workspace/${folder}`)
    const state = yield* Effect.forEach(tiers, (tier) =>
      Effect.forEach(["one", "two"], (key) =>
        invokeDynamic(`state.${tier}.get`, { key: `${folder}.${key}` }).pipe(
          Effect.map((output) =>
            `${tier} ${key}: ${JSON.stringify(at(output, "value") ?? null)}`
          ),
          Effect.catchTag("KeyNotFound", () => Effect.succeed(`${tier} ${key}: null`))
        )))
    return { files: files.toSorted(([one], [other]) => one < other ? -1 : 1), state: Arr.flatten(state) }
  }))
