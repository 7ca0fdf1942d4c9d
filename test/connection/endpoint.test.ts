import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { parse } from "../../src/connection/endpoint.js"
import { parameters } from "../support/runs.js"

describe("parse", () => {
  it.each([
    ["localhost:7700", "ws://localhost:7700/mcp", "http://localhost:7700/rpc", false],
    ["localhost", "ws://localhost:7700/mcp", "http://localhost:7700/rpc", false],
    ["  localhost:1  ", "ws://localhost:1/mcp", "http://localhost:1/rpc", false],
    ["localhost:7700/", "ws://localhost:7700/", "http://localhost:7700/rpc", false],
    ["gateway.example", "ws://gateway.example:7700/mcp", "http://gateway.example:7700/rpc", true],
    ["ws://127.0.0.1:7700/", "ws://127.0.0.1:7700/", "http://127.0.0.1:7700/rpc", false],
    ["ws://127.0.0.1:7700", "ws://127.0.0.1:7700/mcp", "http://127.0.0.1:7700/rpc", false],
    ["ws://h/a/b?c=d", "ws://h/a/b?c=d", "http://h/rpc", true],
    ["ws://h?c=d", "ws://h/?c=d", "http://h/rpc", true],
    ["wss://x", "wss://x/mcp", "https://x/rpc", false],
    ["WSS://X.Example", "wss://x.example/mcp", "https://x.example/rpc", false],
    ["wss://x:8443/mcp", "wss://x:8443/mcp", "https://x:8443/rpc", false],
    ["http://h", "ws://h/mcp", "http://h/rpc", true],
    ["https://h/custom", "wss://h/mcp", "https://h/custom", false],
    ["https://h:7700", "wss://h:7700/mcp", "https://h:7700/rpc", false],
    ["[::1]", "ws://[::1]:7700/mcp", "http://[::1]:7700/rpc", false],
    ["[::1]:99", "ws://[::1]:99/mcp", "http://[::1]:99/rpc", false],
    ["ws://[2001:db8::1]/mcp", "ws://[2001:db8::1]/mcp", "http://[2001:db8::1]/rpc", true],
    ["127.8.9.10:7700", "ws://127.8.9.10:7700/mcp", "http://127.8.9.10:7700/rpc", false],
    [
      "127.0.0.1.evil.example:7700",
      "ws://127.0.0.1.evil.example:7700/mcp",
      "http://127.0.0.1.evil.example:7700/rpc",
      true
    ],
    ["127.evil.example", "ws://127.evil.example:7700/mcp", "http://127.evil.example:7700/rpc", true],
    ["localhost.evil.example", "ws://localhost.evil.example:7700/mcp", "http://localhost.evil.example:7700/rpc", true],
    ["app.localhost", "ws://app.localhost:7700/mcp", "http://app.localhost:7700/rpc", false],
    ["192.168.1.7:7700", "ws://192.168.1.7:7700/mcp", "http://192.168.1.7:7700/rpc", true]
  ])("%s", (text, socket, rpc, exposed) => {
    expect(Either.getOrThrow(parse(text))).toEqual({ socket, rpc, exposed })
  })

  it.each([
    "",
    "   ",
    "ftp://h",
    "http://",
    "ws:///mcp",
    "a b",
    "localhost:notaport",
    "localhost:99999",
    "h#fragment",
    "ws://h/mcp#fragment",
    "://h",
    "[::1",
    "user:secret@h",
    "ws://user:secret@h/mcp"
  ])("refuses %j", (text) => {
    const error = Either.getOrThrow(Either.flip(parse(text)))
    expect(error).toMatchObject({ _tag: "ConnectionFailed", retryable: false })
  })

  it.each(["ws://h/mcp?token=hunter2", "h:7700/mcp?a=b&token=hunter2"])(
    "refuses a key in the URL, and does not repeat it: %s",
    (text) => {
      const error = Either.getOrThrow(Either.flip(parse(text)))
      expect(JSON.stringify(error) + String(error)).not.toContain("hunter2")
      expect(error.message).toContain("apiKey")
    }
  )

  it("does not repeat a password that was given for a host", () => {
    const error = Either.getOrThrow(Either.flip(parse("ws://user:hunter2@h/mcp")))
    expect(`${String(error)} ${String(error.cause)}`).not.toContain("hunter2")
  })

  it("reads or refuses anything, and what it reads can be dialled", () => {
    const text = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.webUrl(),
      FastCheck.domain(),
      FastCheck.ipV6()
    )
    FastCheck.assert(
      FastCheck.property(text, (any) => {
        Either.match(parse(any), {
          onLeft: (error) => expect(error._tag).toBe("ConnectionFailed"),
          onRight: ({ rpc, socket }) => {
            expect(new URL(socket).protocol).toMatch(/^wss?:$/)
            expect(new URL(rpc).protocol).toMatch(/^https?:$/)
          }
        })
      }),
      parameters(5000)
    )
  })
})
