import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Capability, Catalogue, DiskFull, FileNotFound, RateLimited } from "kruxos"
import { describe, expect, test } from "tstyche"
import { MockGateway } from "../../src/testing/MockGateway.js"
import type { MockGatewayOptions } from "../../src/testing/MockGatewayOptions.js"
import type { MockGatewayService } from "../../src/testing/MockGatewayService.js"
import * as Reply from "../../src/testing/Reply.js"
import { exactly } from "../../src/testing/script/Matching.js"

const file = { content: "", size: 0, size_bytes: 0 }

const mine = Catalogue.make(Capability.make("weather.forecast", {
  tier: "autonomous",
  tags: [],
  inputs: { city: Schema.String },
  outputs: { degrees: Schema.Number },
  errors: {}
}))

declare const mock: MockGatewayService

type Capabilities = NonNullable<MockGatewayOptions["capabilities"]>

describe("scripts", () => {
  test("are outputs, handlers and replies of their capabilities", () => {
    expect(MockGateway.layer).type.toBeCallableWith({
      capabilities: {
        "filesystem.read": file,
        "filesystem.list": ({ path }: { readonly path: string }) => Effect.succeed({ path, entries: [], total: 0 }),
        "git.status": Reply.rateLimit()
      }
    })
    expect<Capabilities>().type.toBeAssignableFrom({ "filesystem.read": Reply.succeed(file) })
    expect<Capabilities>().type.toBeAssignableFrom({
      "filesystem.read": Reply.failWith(new FileNotFound({ message: "" })).pipe(
        Reply.andThen(Reply.succeed(file)),
        Reply.delay("1 second"),
        Reply.always
      )
    })
  })

  test("know the arguments of their handlers", () => {
    MockGateway.layer({
      capabilities: {
        "filesystem.read": ({ encoding, limit, path }) => {
          expect(path).type.toBe<string>()
          expect(encoding).type.toBe<string>()
          expect(limit).type.toBe<number | undefined>()
          return Effect.succeed(file)
        }
      }
    })
  })

  test("have outputs that fit", () => {
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": { content: "" } })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": { ...file, content: 1 } })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": () => Effect.succeed({ content: "" }) })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": () => file })
    // What has no field that is required takes no reply for an output.
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.search": Reply.succeed({ matches: 1 }) })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": Reply.succeed({ content: "" }) })
    expect<Capabilities>().type.not.toBeAssignableFrom({
      "filesystem.read": Reply.succeed(file).pipe(Reply.andThen(Reply.succeed({ content: "" })))
    })
    expect(MockGateway.layer).type.not.toBeCallableWith({ capabilities: { "filesystem.read": { content: "" } } })
    expect(MockGateway.layer).type.not.toBeCallableWith({
      capabilities: { "filesystem.read": { ...file, contents: "" } }
    })
  })

  test("give what is spelled in two ways in one of them at least", () => {
    expect<Capabilities>().type.toBeAssignableFrom({ "filesystem.read": { content: "", size: 0 } })
    expect<Capabilities>().type.toBeAssignableFrom({ "filesystem.read": { content: "", size_bytes: 0 } })
    expect<Capabilities>().type.toBeAssignableFrom({
      "filesystem.read": () => Effect.succeed({ content: "", size: 0 })
    })
    expect<Capabilities>().type.toBeAssignableFrom({
      "filesystem.read": Reply.succeed({ content: "", size_bytes: 0 }).pipe(Reply.andThen(Reply.succeed(file)))
    })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": { content: "", size: "0" } })
    expect(MockGateway.layer).type.not.toBeCallableWith({
      capabilities: { "filesystem.read": { content: "", size: 0, sizes: 0 } }
    })
    expect(mock.expect).type.toBeCallableWith("filesystem.read", {}, { content: "", size: 0 })
    expect(mock.expect).type.not.toBeCallableWith("filesystem.read", {}, { content: "", sizes: 0 })
  })

  test("are short for programs and for mail, and may be left to the gateway", () => {
    expect<Capabilities>().type.toBeAssignableFrom({
      "process.run": Reply.process({ exit_code: 1 }).pipe(Reply.andThen(Reply.process())),
      "email.send": Reply.buffered("5 minutes"),
      "filesystem.write": Reply.passThrough.pipe(Reply.dropReply)
    })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": Reply.process() })
    expect(Reply.process).type.not.toBeCallableWith({ exit: 1 })
    expect(mock.expectRequest).type.toBeCallableWith("transaction.commit", Reply.rateLimit())
    expect(mock.expectRequest).type.not.toBeCallableWith("transaction.commit", Reply.succeed({}))
    expect(mock.expectRequest).type.not.toBeCallableWith("filesystem.read", Reply.passThrough)
  })

  test("fail with what their capability can fail with", () => {
    expect<Capabilities>().type.toBeAssignableFrom({
      "filesystem.read": Reply.failWith(new RateLimited({ message: "" }))
    })
    expect<Capabilities>().type.not.toBeAssignableFrom({
      "filesystem.read": Reply.failWith(new DiskFull({ message: "" }))
    })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": () => new DiskFull({ message: "" }) })
    expect<Capabilities>().type.not.toBeAssignableFrom({ "filesystem.read": () => Effect.fail(new Error("")) })
  })

  test("have names that there are", () => {
    expect(MockGateway.layer).type.not.toBeCallableWith({ capabilities: { "filesystem.raed": file } })
    expect(MockGateway.layer).type.not.toBeCallableWith({ capabilities: { "weather.forecast": { degrees: 1 } } })
    expect(MockGateway.layer).type.not.toBeCallableWith({
      catalogue: mine,
      capabilities: { "weather.forcast": { degrees: 1 } }
    })
  })

  test("are for capabilities of one's own as well", () => {
    expect(MockGateway.layer).type.toBeCallableWith({
      catalogue: mine,
      capabilities: { "weather.forecast": { degrees: 1 }, "filesystem.read": file }
    })
    MockGateway.layer({
      catalogue: mine,
      capabilities: {
        "weather.forecast": ({ city }) => {
          expect(city).type.toBe<string>()
          return Effect.succeed({ degrees: city.length })
        },
        "filesystem.read": ({ path }, { sessionId }) => {
          expect(path).type.toBe<string>()
          expect(sessionId).type.toBe<string>()
          return Effect.succeed(file)
        }
      }
    })
    expect(MockGateway.layer).type.not.toBeCallableWith({
      catalogue: mine,
      capabilities: { "weather.forecast": { degrees: "cold" } }
    })
  })
})

describe("expectations", () => {
  test("are of some arguments, of all, or of what a predicate says", () => {
    expect(mock.expect).type.toBeCallableWith("filesystem.read", {}, file)
    expect(mock.expect).type.toBeCallableWith("filesystem.read", { path: "/workspace/a", limit: undefined }, file)
    expect(mock.expect).type.toBeCallableWith("filesystem.read", exactly({ path: "/workspace/a" }), file)
    mock.expect("filesystem.read", ({ encoding, path }) => path === encoding, ({ path }) => {
      expect(path).type.toBe<string>()
      return Effect.succeed(file)
    })
  })

  test("fit their capability", () => {
    expect(mock.expect).type.not.toBeCallableWith("filesystem.raed", {}, file)
    expect(mock.expect).type.not.toBeCallableWith("filesystem.read", { path: 1 }, file)
    expect(mock.expect).type.not.toBeCallableWith("filesystem.read", { paht: "/workspace/a" }, file)
    expect(mock.expect).type.not.toBeCallableWith("filesystem.read", exactly({ limit: 1 }), file)
    expect(mock.expect).type.not.toBeCallableWith("filesystem.read", {}, { content: "" })
    expect(mock.expect).type.not.toBeCallableWith(
      "filesystem.read",
      {},
      Reply.failWith(new DiskFull({ message: "" }))
    )
    expect(mock.expect).type.not.toBeCallableWith("weather.forecast", {}, { degrees: 1 })
  })

  test("know capabilities of one's own where they are told of them", () => {
    const own = Effect.map(MockGateway.withCatalogue(mine), (mock) => mock.expect)
    type Expect = Effect.Effect.Success<typeof own>
    expect<Expect>().type.toBeCallableWith("weather.forecast", { city: "Oslo" }, { degrees: -4 })
    expect<Expect>().type.toBeCallableWith("filesystem.read", {}, file)
    expect<Expect>().type.not.toBeCallableWith("weather.forecast", { city: "Oslo" }, { degrees: "cold" })
    expect<Expect>().type.not.toBeCallableWith("weather.forecast", { town: "Oslo" }, { degrees: -4 })
  })
})
