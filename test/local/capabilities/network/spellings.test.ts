import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { within } from "../../../support/deadline.js"
import { at } from "../../../support/json.js"
import { parameters } from "../../../support/runs.js"
import { serveHttp, serveTcp } from "../../egress/servers.js"
import { invoke } from "./support.js"

const inOctal = (value: number) => `0${value.toString(8)}`

const inHex = (value: number) => `0x${value.toString(16)}`

const wide = (text: string) => text.replace(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))

const percent = (text: string) => [...text].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("")

const numberOf = (octets: ReadonlyArray<number>) => octets.reduce((sum, octet) => sum * 256 + octet, 0)

const groupsOf = (octets: ReadonlyArray<number>) => {
  const [a = 0, b = 0, c = 0, d = 0] = octets
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

/** Ways to write an IPv4 address, some of them only in a URL. */
const spellings: ReadonlyArray<(octets: ReadonlyArray<number>) => string> = [
  (octets) => octets.join("."),
  (octets) => `${octets.join(".")}.`,
  (octets) => octets.map(inOctal).join("."),
  (octets) => octets.map(inHex).join("."),
  (octets) => octets.map(inHex).join(".").toUpperCase().replaceAll("X", "x"),
  (octets) => [...octets.slice(0, 1), numberOf(octets.slice(1))].join("."),
  (octets) => [...octets.slice(0, 2), inHex(numberOf(octets.slice(2)))].join("."),
  (octets) => String(numberOf(octets)),
  (octets) => inHex(numberOf(octets)),
  (octets) => inOctal(numberOf(octets)),
  (octets) => wide(octets.join(".")),
  (octets) => octets.join("。"),
  (octets) => percent(octets.join(".")),
  (octets) => `[::ffff:${octets.join(".")}]`,
  (octets) => `[::ffff:${groupsOf(octets)}]`,
  (octets) => `[0:0:0:0:0:FFFF:${groupsOf(octets)}]`,
  (octets) => `[::${groupsOf(octets)}]`,
  (octets) => `[::ffff:0:${groupsOf(octets)}]`,
  (octets) => `[64:ff9b::${groupsOf(octets)}]`,
  (octets) => `[2002:${groupsOf(octets)}::]`
]

const octet = FastCheck.integer({ min: 0, max: 255 })

const oneOf = FastCheck.constantFrom<ReadonlyArray<number>>([127, 0, 0, 1], [127, 0, 0, 2], [0, 0, 0, 0])

const octets = FastCheck.oneof(oneOf, FastCheck.tuple(octet, octet, octet).map((rest) => [127, ...rest]))

const hosts = FastCheck.oneof(
  FastCheck.tuple(octets, FastCheck.constantFrom(...spellings)).map(([address, spell]) => spell(address)),
  FastCheck.constantFrom("localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "ip6-localhost")
)

it.scopedLive("however an address of one's own is written, nothing connects to it", () =>
  Effect.gen(function*() {
    // Every address of the machine leads there, those of IPv6 too.
    const target = yield* serveTcp(() => undefined, "::")
    let location = "/"
    const server = yield* serveHttp((_incoming, outgoing) => {
      outgoing.writeHead(307, { location })
      outgoing.end()
    })
    const world = { allow: ["*", `127.0.0.1:${server.port}`], names: "of the machine" } as const
    const refusals = new Set(["DomainNotAllowed", "PolicyDenied", "InvalidInput"])
    const refused = (
      name: "network.http_request" | "network.port_check",
      input: { readonly [name: string]: unknown }
    ) =>
      Effect.map(within("the refusal")(Effect.flip(invoke(name, input, world))), (error) => {
        // Nothing is safe by chance only: what is not refused is a name that this machine does not know, or no URL to go to.
        const isNowhere = ["not_resolved", "bad_redirect"].includes(String(at(error.context, "reason")))
        assert.isTrue(refusals.has(error._tag) || isNowhere, `${error._tag} for ${JSON.stringify(input)}`)
      })

    yield* Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(hosts, (host) =>
          Effect.gen(function*() {
            const url = `http://${host}:${target.port}/`
            location = Buffer.from(url).toString("latin1")
            yield* refused("network.http_request", { url })
            yield* refused("network.http_request", { url: `http://127.0.0.1:${server.port}/` })
            yield* refused("network.port_check", { host: host.replace(/^\[|\]$/g, ""), port: target.port })
          }).pipe(Effect.scoped, Effect.runPromise)),
        parameters(500)
      )
    )
    assert.strictEqual(target.connections(), 0)
  }), 60_000)
