import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { runInNewContext } from "node:vm"
import { builtIn } from "../../src/catalogue/builtIn.js"
import { PathOutOfScope } from "../../src/errors/filesystem.js"
import { CapabilityUnavailable } from "../../src/errors/general.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"
import { example } from "../../src/testing/script/example.js"
import { outputEncoder } from "../../src/testing/script/fit.js"
import { exactly } from "../../src/testing/script/Matching.js"
import { showPlainly } from "../../src/testing/script/show.js"

const file = (content: string) => ({ content, size: content.length, size_bytes: content.length })

const read = (path: string) =>
  Effect.flatMap(
    Capabilities,
    (capabilities) => Effect.map(capabilities.invoke("filesystem.read", { path }), ({ content }) => content)
  )

const written = { path: "/workspace/a.txt", size: 1, checksum: "0".repeat(64) }

const mismatch = Effect.flatMap(MockGateway, (mock) => Effect.flip(mock.verify))

describe("what is expected", () => {
  it.effect("answers the first invocations that fit, in the order of the expectations, before the scripts", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.read", { path: "/workspace/a" }, file("first a"))
      yield* mock.expect("filesystem.read", {}, file("any"))
      yield* mock.expect(
        "filesystem.read",
        { path: "/workspace/a" },
        ({ path }) => Effect.succeed(file(`then ${path}`))
      )
      expect(yield* read("/workspace/b")).toBe("any")
      expect(yield* read("/workspace/a")).toBe("first a")
      expect(yield* read("/workspace/a")).toBe("then /workspace/a")
      expect(yield* read("/workspace/a")).toBe("scripted")
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({ capabilities: { "filesystem.read": file("scripted") } }))))

  it.effect("is asked of some arguments, of all, or of what a predicate says", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* mock.expect("filesystem.read", exactly({ path: "/workspace/a" }), Reply.always(Reply.succeed(file("all"))))
      yield* mock.expect("filesystem.read", ({ limit = 0 }) => limit > 5, Reply.always(Reply.succeed(file("much"))))
      yield* mock.expect(
        "filesystem.read",
        { encoding: "utf-8", limit: undefined },
        Reply.always(Reply.succeed(file("unlimited")))
      )
      const invoke = (input: { readonly path: string; readonly offset?: number; readonly limit?: number }) =>
        Effect.map(capabilities.invoke("filesystem.read", input), ({ content }) => content)
      expect(yield* invoke({ path: "/workspace/a" })).toBe("all")
      expect(yield* invoke({ path: "/workspace/a", limit: 6 })).toBe("much")
      expect(yield* invoke({ path: "/workspace/a", offset: 1 })).toBe("unlimited")
      expect(yield* Effect.flip(invoke({ path: "/workspace/a", limit: 5 }))).toMatchObject({ type: "mock.unscripted" })
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("takes the place of what the gateway does itself", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* mock.expect("state.shared.delete", { key: "a" }, { deleted: false })
      yield* capabilities.invoke("state.shared.set", { key: "a", value: 1, expected_version: 0 })
      const removed = yield* capabilities.invoke("state.shared.delete", { key: "a" })
      expect(removed).toEqual({ deleted: false })
      expect(yield* capabilities.invoke("state.shared.get", { key: "a" })).toMatchObject({ value: 1 })
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("has to come as often as is said, and the difference says what came instead", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.read", { path: "/workspace/a", offset: 2 }, file("a"))
      yield* mock.expect("filesystem.read", { path: "/workspace/c" }, Reply.succeed(file("c")).pipe(Reply.times(3)))
      yield* mock.expect("git.status", () => false, Reply.failWith(new PathOutOfScope({ message: "no" })))
      yield* mock.expect("secrets.list", {}, Reply.always(Reply.succeed({ secrets: [], total: 0 })))
      yield* Effect.flip(read("/workspace/b"))
      expect(yield* read("/workspace/c")).toBe("c")
      const { message, mismatches } = yield* mismatch
      expect(mismatches.map((one) => one._tag)).toEqual(["Unscripted", "Unused", "Unused", "Unused", "Unused"])
      expect(message).toBe(
        `5 things did not go by the script:
1. filesystem.read({ path: "/workspace/b" }) came, and nothing answers it.
   The nearest expectation, filesystem.read({ path: "/workspace/c" }), differs:
   path
     expected "/workspace/c"
     received "/workspace/b"
2. filesystem.read({ path: "/workspace/a", offset: 2 }) was to be used once more.
   The nearest invocation, filesystem.read({ path: "/workspace/b" }), differs:
   path
     expected "/workspace/a"
     received "/workspace/b"
   offset
     expected 2
     received nothing
3. filesystem.read({ path: "/workspace/c" }) was to be used 2 times more.
4. git.status(whatever a predicate accepts) was to be used once more.
5. secrets.list({}) was to be used once more.`
      )
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("is told once where something else came in its place", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.read", { path: "/workspace/a" }, Reply.succeed(file("a")).pipe(Reply.times(2)))
      yield* Effect.flip(read("/workspace/b"))
      const once = `1. filesystem.read({ path: "/workspace/b" }) came, and nothing answers it.
   The nearest expectation, filesystem.read({ path: "/workspace/a" }), differs:
   path
     expected "/workspace/a"
     received "/workspace/b"`
      // The other one is not to be explained by what came.
      expect((yield* mismatch).mismatches.map((one) => one._tag)).toEqual(["Unscripted", "Unused"])
      yield* read("/workspace/a")
      expect((yield* mismatch).message).toBe(`One thing did not go by the script:\n${once}`)
      yield* read("/workspace/a")
      expect((yield* mismatch).message).toBe(`One thing did not go by the script:\n${once}`)
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("is compared line by line where it is a text of several, and shows no secret", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* mock.expect("filesystem.write", { path: "/workspace/a.txt", content: "one\ntwo\nthree\n" }, written)
      const request = (password: string) => ({ url: "https://a.example/", headers: { Authorization: password } })
      yield* mock.expectDynamic("network.http_request", request("sesame"), {})
      yield* Effect.flip(capabilities.invokeDynamic("network.http_request", request("simsim")))
      yield* Effect.flip(
        capabilities.invoke("filesystem.write", { path: "/workspace/a.txt", content: "one\n2\nthree\n" })
      )
      const { message } = yield* mismatch
      expect(message).toMatch(/^2 things did not go by the script:\n/)
      expect(message).toMatch(/\n   content\n     - two\n     \+ 2$/)
      expect(message).toMatch(/headers\.Authorization\n +is a secret, and another one than was expected/)
      expect(message).not.toMatch(/sesame|simsim/)
    }).pipe(Effect.provide(MockGateway.layer())))
})

describe("what nobody has scripted", () => {
  it.effect("fails with how to script exactly this", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(read("/workspace/a"))
      expect(failure).toMatchObject({
        _tag: "CapabilityError",
        type: "mock.unscripted",
        capability: "filesystem.read",
        retryable: false
      })
      expect(failure.message).toBe(
        `Nothing in the script answers filesystem.read({ path: "/workspace/a" }).
Say what it answers, whatever its arguments are:
  MockGateway.layer({ capabilities: { "filesystem.read": { content: "…", size: 0 } } })
or expect this one:
  yield* mock.expect("filesystem.read", { path: "/workspace/a" }, `
          + `{ content: "…", size: 0 })`
      )
      expect((yield* mismatch).mismatches).toEqual([
        { _tag: "Unscripted", capability: "filesystem.read", arguments: { path: "/workspace/a" } }
      ])
    }).pipe(Effect.provide(MockGateway.layer())))

  it("gets an example that fits, whatever the capability, and that is TypeScript", () => {
    const refused = Object.values(builtIn).flatMap((capability) => {
      const text = showPlainly(example(capability))
      const value: unknown = runInNewContext(`(${text})`, { DateTime })
      return Either.match(outputEncoder(capability)(value), {
        onLeft: (reason) => [`${capability.name}: ${text}: ${reason}`],
        onRight: () => []
      })
    })
    expect(refused).toEqual([])
    expect(Object.keys(builtIn).length).toBeGreaterThan(80)
  })
})

describe("an answer that no gateway would give", () => {
  const refusedWith = (script: unknown) =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expectDynamic("filesystem.read", {}, script)
      const failure = yield* Effect.flip(read("/workspace/a"))
      expect(failure).toMatchObject({ _tag: "CapabilityError", type: "mock.impossible_answer", retryable: false })
      const { message, mismatches } = yield* mock.verify.pipe(Effect.flip)
      expect(mismatches.map((one) => one._tag)).toEqual(["Unfit"])
      const [, ...reason] = failure.message.split("\n")
      expect(message).toContain(reason.join("\n   "))
      return reason.join("\n")
    }).pipe(Effect.provide(MockGateway.layer()))

  it.effect("is an output with something missing, mistyped or too much", () =>
    Effect.gen(function*() {
      expect(yield* refusedWith({ content: 3, size: 1, modified: "yesterday", contents: "" })).toBe(
        [
          "contents: is unexpected, expected: \"content\" | \"size\" | \"size_bytes\" | \"modified\" | \"modified_at\" | "
          + "\"checksum\" | \"truncated\" | \"encoding\"",
          "content: Expected string, actual 3",
          "modified: Expected DateTimeUtcFromSelf, actual \"yesterday\""
        ].join("\n")
      )
      expect(yield* refusedWith(Reply.succeed("hello"))).toContain("actual \"hello\"")
    }))

  it.effect("is a failure that the capability does not know", () =>
    Effect.gen(function*() {
      expect(yield* refusedWith(Reply.failWith(new CapabilityUnavailable({ message: "", reason: "VaultError" }))))
        .toMatch(
          /^it never fails with VaultError: it lists PathOutOfScope, FileNotFound, /
        )
      expect(yield* refusedWith(Reply.failWith(new Error("oh")))).toBe(
        "Error: oh is none of the errors of kruxos/errors"
      )
    }))

  it.effect("is what a handler returns that is no Effect", () =>
    Effect.gen(function*() {
      expect(yield* refusedWith(() => file("hello"))).toContain("which is no Effect")
    }))

  it.effect("is a handler that dies, such as of an assertion in it", () =>
    Effect.gen(function*() {
      const handler = (input: unknown) => {
        expect(input).toEqual({ path: "/workspace/b" })
        return Effect.succeed(file("hello"))
      }
      expect(yield* refusedWith(handler)).toMatch(/^its handler died: AssertionError: expected .* to deeply equal /)
      expect(yield* refusedWith(Reply.handle(() => Effect.dieMessage("oh")))).toMatch(/^its handler died: .*: oh$/)
    }))
})
