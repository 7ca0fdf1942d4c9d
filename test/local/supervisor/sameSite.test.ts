import { assert, describe, it } from "@effect/vitest"
import { asksForThis, comesFromHere } from "../../../src/local/supervisor/sameSite.js"

describe("a request", () => {
  it.each<readonly [host: string | undefined, listensOn: string, localAddress: string, isForThis: boolean]>([
    ["localhost:7700", "0.0.0.0", "192.168.1.5", true],
    ["127.0.0.1", "0.0.0.0", "127.0.0.1", true],
    ["[::1]:7700", "::", "::1", true],
    ["192.168.1.5:7700", "0.0.0.0", "192.168.1.5", true],
    ["192.168.1.5:7700", "::", "::ffff:192.168.1.5", true],
    ["[fe80::1]:7700", "::", "fe80::1", true],
    ["BOX.lan", "box.lan", "192.168.1.5", true],
    ["box.lan", "0.0.0.0", "192.168.1.5", false],
    ["192.168.1.6", "0.0.0.0", "192.168.1.5", false],
    ["evil.example", "127.0.0.1", "127.0.0.1", false],
    ["localhost.evil.example", "127.0.0.1", "127.0.0.1", false],
    ["evil.example@localhost", "127.0.0.1", "127.0.0.1", false],
    ["localhost/evil.example", "127.0.0.1", "127.0.0.1", false],
    ["localhost@evil.example", "127.0.0.1", "127.0.0.1", false],
    ["", "127.0.0.1", "127.0.0.1", false],
    ["a b", "127.0.0.1", "127.0.0.1", false],
    [undefined, "127.0.0.1", "127.0.0.1", false]
  ])("to %s, where the gateway listens on %s and was reached at %s", (host, listensOn, localAddress, isForThis) => {
    assert.strictEqual(asksForThis({ headers: { host }, socket: { localAddress } }, listensOn), isForThis)
  })

  it.each<readonly [origin: string | undefined, isFromHere: boolean]>([
    [undefined, true],
    ["http://localhost:7700", true],
    ["https://localhost:7700", true],
    ["http://localhost", false],
    ["http://localhost:3000", false],
    ["http://evil.example:7700", false],
    ["null", false],
    ["", false]
  ])("of a page of %s", (origin, isFromHere) => {
    assert.strictEqual(comesFromHere({ headers: { host: "localhost:7700", origin }, socket: {} }), isFromHere)
  })
})
