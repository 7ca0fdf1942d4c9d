import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { canonicalAddress, kindOf } from "../../../src/local/egress/address.js"
import * as Egress from "../../../src/local/egress/Egress.js"
import { type Host, hostOfUrl, parseHost, showHost } from "../../../src/local/egress/Host.js"
import * as HostPattern from "../../../src/local/egress/HostPattern.js"
import { parameters } from "../../support/runs.js"

const pattern = (text: string) => Either.getOrThrowWith(HostPattern.parse(text), (what) => new Error(what))

const host = (text: string): Host => {
  const found = parseHost(text)
  if (found === undefined) throw new Error(`${text} is no host`)
  return found
}

const allows = (patterns: ReadonlyArray<string>, text: string, port?: number, address?: string): boolean => {
  const egress = Egress.make([{ rule: "test", patterns: patterns.map(pattern) }])
  const target = { host: host(text), port }
  return egress.refusal(target) === undefined &&
    (address === undefined || egress.refusalOfAddress(target, address) === undefined)
}

describe("kindOf", () => {
  it.each([
    ["8.8.8.8", "public"],
    ["2606:4700:4700::1111", "public"],
    ["127.0.0.1", "private"],
    ["127.255.255.254", "private"],
    ["::1", "private"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["fd12:3456::1", "private"],
    ["169.254.169.254", "special"],
    ["168.63.129.16", "special"],
    ["100.100.100.200", "special"],
    ["fd00:ec2::254", "special"],
    ["0.0.0.0", "special"],
    ["0.1.2.3", "special"],
    ["::", "special"],
    ["224.0.0.1", "special"],
    ["255.255.255.255", "special"],
    ["240.0.0.1", "special"],
    ["192.0.2.1", "special"],
    ["198.18.0.1", "special"],
    ["fe80::1", "special"],
    ["fec0::1", "special"],
    ["ff02::1", "special"],
    ["64:ff9b::7f00:1", "special"],
    ["64:ff9b:1::7f00:1", "special"],
    ["2002:7f00:1::", "special"],
    ["2001::7f00:1", "special"],
    ["::127.0.0.1", "special"],
    ["::ffff:0:127.0.0.1", "special"],
    ["100::1", "special"],
    ["4000::1", "special"],
    ["2001:db8::1", "special"],
    ["localhost", "special"]
  ])("%s is %s", (address, kind) => {
    assert.strictEqual(kindOf(canonicalAddress(address) ?? address), kind)
  })

  it("takes IPv4 out of IPv6", () => {
    assert.strictEqual(canonicalAddress("::ffff:127.0.0.1"), "127.0.0.1")
    assert.strictEqual(canonicalAddress("0:0:0:0:0:FFFF:7F00:0001"), "127.0.0.1")
    assert.strictEqual(canonicalAddress("::FFFF:a00:1"), "10.0.0.1")
    assert.strictEqual(canonicalAddress("0177.0.0.1"), undefined)
  })
})

describe("parseHost", () => {
  it.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["münchen.example", "xn--mnchen-3ya.example"],
    ["under_score.example", "under_score.example"],
    ["127.0.0.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["0177.0.0.01", "127.0.0.1"],
    ["127.1", "127.0.0.1"],
    ["１２７.0.0.1", "127.0.0.1"],
    ["127.0.0.1.", "127.0.0.1"],
    ["::1", "[::1]"],
    ["[::1]", "[::1]"],
    ["[0:0:0:0:0:0:0:1]", "[::1]"],
    ["::ffff:7f00:1", "127.0.0.1"]
  ])("reads %s as %s", (text, shown) => {
    assert.strictEqual(showHost(host(text)), shown)
  })

  it.each([
    "",
    ".",
    "a..b",
    "http://example.com",
    "example.com:80",
    "example.com/path",
    "user@example.com",
    "example.com#x",
    "example.com?x",
    "exa mple.com",
    "exa\nmple.com",
    "exa\0mple.com",
    "%6cocalhost",
    "fe80::1%eth0",
    "[::1",
    "256.1.1.1",
    "-a.example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(130)}example`
  ])("does not take %j for a host", (text) => {
    assert.isUndefined(parseHost(text))
  })

  it("never reads an address out of a URL differently than out of a host", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.ipV4(), FastCheck.ipV4Extended(), FastCheck.ipV6()), (text) => {
        const url = `http://${text.includes(":") ? `[${text}]` : text}/`
        assert.deepStrictEqual(URL.canParse(url) ? hostOfUrl(new URL(url)) : undefined, parseHost(text))
      }),
      parameters(1000)
    )
  })
})

describe("a pattern", () => {
  it.each([
    ["api.example.com", "api.example.com", 443, true],
    ["API.Example.com", "api.example.com.", 443, true],
    ["api.example.com", "example.com", 443, false],
    ["api.example.com", "v2.api.example.com", 443, false],
    ["api.example.com", "api.example.com.evil.test", 443, false],
    ["api.example.com:8443", "api.example.com", 8443, true],
    ["api.example.com:8443", "api.example.com", 443, false],
    ["*.example.com", "api.example.com", 443, true],
    ["*.example.com", "a.b.example.com", 443, true],
    ["*.example.com", "example.com", 443, false],
    ["*.example.com", "evilexample.com", 443, false],
    ["*.example.com:8443", "api.example.com", 443, false],
    ["*", "anything.example", 443, true],
    ["*:443", "anything.example", 80, false],
    ["*", "8.8.8.8", 53, true],
    ["*", "127.0.0.1", 80, false],
    ["*", "169.254.169.254", 80, false],
    ["127.0.0.1", "127.0.0.1", 80, true],
    ["127.0.0.1:8080", "127.0.0.1", 8080, true],
    ["127.0.0.1:8080", "127.0.0.1", 8081, false],
    ["127.0.0.1", "127.0.0.2", 80, false],
    ["127.0.0.1", "[::ffff:127.0.0.1]", 80, true],
    ["0x7f.1", "127.0.0.1", 80, true],
    ["::1", "::1", 80, true],
    ["[::1]:8080", "::1", 8080, true],
    ["[::1]:8080", "::1", 80, false],
    ["localhost", "localhost", 80, true],
    ["localhost", "127.0.0.1", 80, false]
  ])("%s: %s at port %i: %s", (allowed, text, port, expected) => {
    assert.strictEqual(allows([allowed], text, port), expected)
  })

  it("means every one of its ports where no port is asked for", () => {
    assert.isTrue(allows(["api.example.com:8443"], "api.example.com"))
  })

  it.each([
    "",
    "a.*.example",
    "*example.com",
    "**",
    "*.127.0.0.1",
    "https://example.com",
    "example.com/path",
    "example.com:0",
    "example.com:65536",
    "example.com:port",
    "user@example.com",
    "10.0.0.0/8",
    "a b"
  ])("%j is none", (text) => {
    assert.isTrue(Either.isLeft(HostPattern.parse(text)))
  })
})

describe("an address that is not public", () => {
  it.each([
    // A public name that comes to mean an address of one's own is how a wall is walked around.
    [["api.example.com"], "api.example.com", "127.0.0.1", false],
    [["api.example.com"], "api.example.com", "10.0.0.1", false],
    [["api.example.com"], "api.example.com", "169.254.169.254", false],
    [["api.example.com"], "api.example.com", "93.184.215.14", true],
    [["*"], "api.example.com", "10.0.0.1", false],
    [["*"], "localhost", "127.0.0.1", false],
    [["*.internal"], "git.internal", "10.0.0.1", false],
    [["api.example.com", "10.0.0.1"], "api.example.com", "10.0.0.1", true],
    [["api.example.com", "10.0.0.1:80"], "api.example.com", "10.0.0.1", false],
    [["10.0.0.1"], "api.example.com", "10.0.0.1", false],
    [["localhost"], "localhost", "127.0.0.1", true],
    [["localhost"], "localhost", "::1", true],
    [["git.internal:443"], "git.internal", "10.0.0.1", true],
    [["git.internal:80"], "git.internal", "10.0.0.1", false],
    [["db"], "db", "172.18.0.2", true],
    [["db"], "db", "169.254.169.254", false],
    [["metadata.google.internal"], "metadata.google.internal", "169.254.169.254", false],
    [["metadata.google.internal", "169.254.169.254"], "metadata.google.internal", "169.254.169.254", true]
  ])("with %j, %s may be at %s: %s", (patterns, name, address, expected) => {
    assert.strictEqual(allows(patterns, name, 443, address), expected)
  })
})

describe("several lists", () => {
  const make = (...lists: ReadonlyArray<ReadonlyArray<string>>) =>
    Egress.make(lists.map((patterns, index) => ({ rule: `list-${index}`, patterns: patterns.map(pattern) })))

  const target = { host: host("api.example.com"), port: 443 }

  it("all have to allow a host, and the first that does not is named", () => {
    assert.isUndefined(make(["*"], ["*.example.com"]).refusal(target))
    assert.strictEqual(make(["*"], ["other.example"], []).refusal(target)?.rule, "list-1")
    assert.strictEqual(make(["api.example.com"], []).refusal(target)?.rule, "list-1")
  })

  it("all have to name an address that is not public", () => {
    const loopback = { host: host("127.0.0.1"), port: 80 }
    assert.isUndefined(make(["127.0.0.1"], ["127.0.0.1:80"]).refusalOfAddress(loopback, "127.0.0.1"))
    assert.strictEqual(make(["127.0.0.1"], ["*"]).refusalOfAddress(loopback, "127.0.0.1")?.rule, "list-1")
  })

  it("without any, nothing is allowed", () => {
    assert.isDefined(Egress.nowhere.refusal(target))
    assert.isDefined(Egress.nowhere.refusalOfAddress(target, "10.0.0.1"))
  })

  it("one more never allows more", () => {
    const text = FastCheck.constantFrom(
      "*",
      "*.example.com",
      "api.example.com",
      "127.0.0.1",
      "localhost:80",
      "10.0.0.1"
    )
    const lists = FastCheck.array(FastCheck.array(text, { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    const place = FastCheck.record({
      host: FastCheck.constantFrom("api.example.com", "localhost", "127.0.0.1", "10.0.0.1", "8.8.8.8").map(host),
      port: FastCheck.constantFrom(80, 443)
    })
    const address = FastCheck.constantFrom("127.0.0.1", "10.0.0.1", "8.8.8.8", "169.254.169.254")
    FastCheck.assert(
      FastCheck.property(lists, FastCheck.array(text), place, address, (some, more, where, at) => {
        const fewer = make(...some, more)
        const before = make(...some)
        return (before.refusal(where) === undefined || fewer.refusal(where) !== undefined) &&
          (before.refusalOfAddress(where, at) === undefined || fewer.refusalOfAddress(where, at) !== undefined)
      }),
      parameters(1000)
    )
    assert.isDefined(make(["*"], []).refusal(target))
  })
})
