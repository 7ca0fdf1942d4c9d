import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { makeClient } from "../../src/page/client/Client.js"

/** Where the page's requests go to: what a browser makes of their paths. */
const recorded = Effect.acquireRelease(
  Effect.sync(() => {
    const { fetch } = globalThis
    const urls: Array<URL> = []
    globalThis.fetch = (input) => {
      urls.push(new URL(String(input), "http://localhost:7700/"))
      return Promise.resolve(new Response("{}", { status: 404 }))
    }
    return { fetch, urls }
  }),
  ({ fetch }) =>
    Effect.sync(() => {
      globalThis.fetch = fetch
    })
).pipe(Effect.map(({ urls }) => urls))

describe("the page's requests", () => {
  it.scoped("name every key, also one that no path can have", () =>
    Effect.gen(function*() {
      const urls = yield* recorded
      const client = makeClient(Redacted.make("krx_user_x"))
      for (const key of ["..", ".", "a/b", "ä %&=+?#"]) {
        yield* Effect.flip(client.entry({ shared: false, agent: "alice" }, key))
        yield* Effect.flip(client.deleteEntry("alice", key))
        yield* Effect.flip(client.entry({ shared: true }, key))
        const seen = urls.splice(0).map(({ pathname, searchParams }) => [pathname, searchParams.get("key")])
        assert.deepStrictEqual(seen, [["/api/state/alice", key], ["/api/state/alice", key], ["/api/state/shared", key]])
      }
    }))
})
