import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { spawn } from "node:child_process"
import { connect } from "node:net"
import { until, within } from "../../../support/deadline.js"
import { serveTcp } from "../../egress/servers.js"
import { invoke } from "./support.js"

// Listens, and then sleeps for good without taking a connection.
const listener =
  "const server = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {"
  + "require('node:fs').writeSync(1, `${server.address().port}\\n`);"
  + "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })"

/** A port whose queue of connections is full. */
const busyPort = Effect.gen(function*() {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, ["-e", listener], { stdio: ["ignore", "pipe", "inherit"] })),
    (child) =>
      Effect.async<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const port = yield* Effect.async<number>((resume) => {
    child.stdout.once("data", (line) => resume(Effect.succeed(Number(line))))
  }).pipe(within("the port"))
  for (let count = 0; count < 8; count++) {
    yield* Effect.acquireRelease(
      Effect.sync(() => connect(port, "127.0.0.1").on("error", () => undefined)),
      (socket) => Effect.sync(() => socket.destroy())
    )
  }
  yield* Effect.sleep("100 millis")
  return port
})

describe("network.dns_lookup", () => {
  const names = { "api.example.com": ["93.184.215.14", "2606:2800:21f::1"], "git.internal": ["10.0.0.5"] }

  it.scoped("gives the addresses of a name that the policy allows", () =>
    Effect.gen(function*() {
      for (
        const [hostname, allowed] of [["api.example.com", "*:8443"], ["git.internal", "git.internal:443"]] as const
      ) {
        assert.deepStrictEqual(yield* invoke("network.dns_lookup", { hostname }, { allow: [allowed], names }), {
          addresses: names[hostname],
          hostname
        })
      }
      const address = { hostname: "0x7f.1" }
      assert.deepStrictEqual(yield* invoke("network.dns_lookup", address, { allow: ["127.0.0.1"] }), {
        addresses: ["127.0.0.1"],
        hostname: "0x7f.1"
      })
    }))

  it.scopedLive("asks the machine", () =>
    Effect.gen(function*() {
      const found = yield* invoke("network.dns_lookup", { hostname: "localhost" }, {
        allow: ["localhost"],
        names: "of the machine"
      })
      assert.include(found["addresses"], "127.0.0.1")
    }))

  it.scoped("asks about no other host", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        invoke("network.dns_lookup", { hostname: "data.carried.out.evil.example" }, {
          allow: ["api.example.com"],
          names
        })
      )
      assert.deepInclude(error, { _tag: "PolicyDenied", rule: "organization:network.allow" })
    }))

  it.scoped("fails with DnsResolutionFailed where there is no address, and refuses what is no name", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.flip(
        invoke("network.dns_lookup", { hostname: "missing.example" }, { allow: ["*"], names })
      )
      assert.deepInclude(missing, { _tag: "DnsResolutionFailed", hostname: "missing.example", retryable: true })
      for (const hostname of ["", "http://example.com", "example.com:80", "a b", "a/b", "a..b"]) {
        const error = yield* Effect.flip(invoke("network.dns_lookup", { hostname }, { allow: ["*"], names }))
        assert.deepInclude(error, { _tag: "InvalidInput", field: "hostname" }, hostname)
      }
    }))

  it.scoped("fails with DnsResolutionFailed where the name servers say nothing for 15 seconds", () =>
    Effect.gen(function*() {
      const asked = yield* Effect.fork(Effect.flip(
        invoke("network.dns_lookup", { hostname: "api.example.com" }, { allow: ["*"], names: "silent" })
      ))
      yield* TestClock.adjust("14999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(asked)))
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* Fiber.join(asked), {
        _tag: "DnsResolutionFailed",
        hostname: "api.example.com",
        context: { reason: "timeout" }
      })
    }))
})

describe("network.port_check", () => {
  const check = (input: { readonly [name: string]: unknown }, allow: ReadonlyArray<string>) =>
    within("network.port_check")(invoke("network.port_check", input, { allow, names: { localhost: ["127.0.0.1"] } }))

  it.scopedLive("tells an open port from a closed one", () =>
    Effect.gen(function*() {
      const server = yield* serveTcp(() => undefined)
      const { port } = server
      const open = yield* check({ host: "localhost", port }, ["localhost"])
      assert.deepInclude(open, { open: true, host: "localhost", port })
      assert.isTrue(Number.isInteger(open["latency_ms"]))
      yield* until("the socket to be closed", Effect.sync(() => server.open() === 0))

      const closed = yield* Effect.scoped(Effect.map(serveTcp(() => undefined), (one) => one.port))
      assert.deepStrictEqual(yield* check({ host: "127.0.0.1", port: closed }, ["127.0.0.1"]), {
        open: false,
        latency_ms: null,
        host: "127.0.0.1",
        port: closed
      })
    }))

  it.scopedLive("connects to no host that the policy does not allow, nor to another port", () =>
    Effect.gen(function*() {
      const server = yield* serveTcp(() => undefined)
      const { port } = server
      for (const allow of [[], ["*"], [`127.0.0.1:${port + 1}`], ["localhost"]]) {
        const error = yield* Effect.flip(check({ host: "127.0.0.1", port }, allow))
        assert.deepInclude(error, { _tag: "PolicyDenied", rule: "organization:network.allow" })
      }
      assert.strictEqual(server.connections(), 0)
    }))

  it.scopedLive("is ConnectionFailed where there is nothing to try", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(check({ host: "missing.example", port: 80 }, ["*"]))
      assert.deepInclude(error, {
        _tag: "PortCheckFailed",
        type: "ConnectionFailed",
        host: "missing.example",
        port: 80,
        context: { reason: "not_resolved" }
      })
    }))

  it.scoped("is ConnectionFailed where the name servers say nothing in time", () =>
    Effect.gen(function*() {
      const asked = yield* Effect.fork(Effect.flip(
        invoke("network.port_check", { host: "api.example.com", port: 80, timeout: 30 }, {
          allow: ["*"],
          names: "silent"
        })
      ))
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude(yield* Fiber.join(asked), {
        _tag: "PortCheckFailed",
        context: { reason: "not_resolved" }
      })
    }))

  it.scopedLive("is ConnectionFailed where no network leads to", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(check({ host: "255.255.255.255", port: 80 }, ["255.255.255.255"]))
      assert.deepInclude(error, { _tag: "PortCheckFailed", context: { reason: "not_connected" } })
    }))

  // Only Linux says nothing when a queue of connections is full.
  it.scopedLive.skipIf(process.platform !== "linux")(
    "says that a port is not open that does not answer in time",
    () =>
      Effect.gen(function*() {
        const port = yield* busyPort
        const found = yield* check({ host: "127.0.0.1", port, timeout: 1 }, ["127.0.0.1"])
        assert.deepStrictEqual(found, { open: false, latency_ms: null, host: "127.0.0.1", port })
      })
  )

  it.scoped("refuses a port that is none, a long timeout, and what is no host", () =>
    Effect.gen(function*() {
      for (const port of [0, 65_536, -1, 1.5, "80"]) {
        const error = yield* Effect.flip(check({ host: "localhost", port }, ["*"]))
        assert.deepInclude(error, { _tag: "InvalidInput", type: "InvalidPort", reason: "InvalidPort", field: "port" })
      }
      assert.deepInclude(yield* Effect.flip(check({ host: "localhost", port: 1, timeout: 31 }, ["*"])), {
        _tag: "InvalidInput",
        type: "InvalidInput",
        field: "timeout"
      })
      assert.deepInclude(yield* Effect.flip(check({ host: "http://localhost", port: 1 }, ["*"])), {
        _tag: "InvalidInput",
        field: "host"
      })
    }))
})
