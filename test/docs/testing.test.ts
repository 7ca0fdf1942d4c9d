import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { moduleOf, type Snippet, snippetsOf } from "../support/snippets.js"

const snippets = snippetsOf("docs/testing.md")

const load = (snippet: Snippet): Promise<unknown> => import(/* @vite-ignore */ moduleOf(snippet))

const isEffect = (value: unknown): value is Effect.Effect<unknown, unknown> => Effect.isEffect(value)

const nameOf = ({ document, line }: Snippet) => `${document}:${line}`

const isFailing = ({ code }: Snippet) => code.includes("export const fails =")

describe("the tests in docs/testing.md", () => {
  const tests = snippets.filter((snippet) => snippet.language === "ts" && !isFailing(snippet))

  it("are there", () => assert.isAbove(tests.length, 10))

  for (const snippet of tests) describe(nameOf(snippet), async () => void await load(snippet))
})

describe("the messages in docs/testing.md", () => {
  const messages = snippets.flatMap((snippet, index) => {
    const shown = snippets[index + 1]
    return isFailing(snippet) ? [{ snippet, name: nameOf(snippet), shown: shown?.code ?? "" }] : []
  })

  it("are there", () =>
    assert.strictEqual(messages.length, snippets.filter(({ language }) => language === "text").length))

  it.effect.each(messages)("$name are what one sees", ({ shown, snippet }) =>
    Effect.gen(function*() {
      const module = yield* Effect.promise(() => load(snippet))
      if (!Predicate.hasProperty(module, "fails") || !isEffect(module.fails)) return assert.fail("no effect")
      const error = yield* Effect.flip(module.fails)
      assert.strictEqual(Predicate.hasProperty(error, "message") ? error.message : error, shown)
    }))
})
