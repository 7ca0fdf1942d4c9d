import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as http from "node:http"
import * as net from "node:net"
import { within } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"
import { post, rpc } from "../../support/rawHttp.js"
import { open } from "../../support/rawSocket.js"

const gateway = TestGateway.Gateway

const maximumBytes = 16 * 1024 * 1024

const ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

const request = (port: number, path: string, method: string, headers: Record<string, string> = {}) =>
  Effect.async<{ readonly status: number | undefined; readonly headers: http.IncomingHttpHeaders }>((resume) => {
    http.request({ port, path, method, headers, agent: false }, (response) => {
      response.resume()
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode, headers: response.headers })))
    }).end()
  }).pipe(within("the answer"))

/** Says a text to the port, and gives all that comes back until the server closes. */
const say = (port: number, text: string) =>
  Effect.async<string>((resume) => {
    let answer = ""
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("data", (chunk) => {
      answer += String(chunk)
    })
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(answer)))
    return Effect.sync(() => socket.destroy())
  }).pipe(within("the end of the connection"))

/** Says a text to the port, and goes away. */
const sayAndLeave = (port: number, text: string) =>
  Effect.async<void>((resume) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text, () => socket.destroy()))
    socket.on("close", () => resume(Effect.void))
  }).pipe(within("the end of the connection"))

layer(TestGateway.layer(), { excludeTestServices: true })("the HTTP server", (it) => {
  const ask = Effect.flatMap(gateway, (served) => rpc(served, "ping"))

  it.effect.each(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])(
    "answers %s /rpc with 405",
    (method) =>
      Effect.gen(function*() {
        const answer = yield* request((yield* gateway).port, "/rpc", method)
        expect(answer).toMatchObject({ status: 405, headers: { allow: "POST" } })
      })
  )

  it.effect.each(["/mcp", "/rpc/", "/rpc/more", "/RPC", "//", "//rpc", "*"])(
    "has nothing at %s",
    (path) =>
      Effect.gen(function*() {
        const { key, port } = yield* gateway
        const answer = yield* request(port, path, "POST", { authorization: `Bearer ${key}` })
        expect(answer.status).toBe(404)
      })
  )

  it.scoped.each(["/", "/rpc", "/mcp/", "/mcp/more", "//"])("upgrades nothing at %s", (path) =>
    Effect.gen(function*() {
      const { key, port } = yield* gateway
      const refused = yield* Effect.flip(open(`ws://127.0.0.1:${port}${path}`, { key }))
      expect(refused.status).toBe(404)
      expect(yield* ask).toHaveProperty("result", {})
    }))

  it.effect("says 400 to what asks for an upgrade and is no WebSocket", () =>
    Effect.gen(function*() {
      const { key, port } = yield* gateway
      const upgrade = (more: string) =>
        say(
          port,
          `GET /mcp HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${key}\r\nconnection: Upgrade\r\n${more}\r\n\r\n`
        )
      expect(yield* upgrade("upgrade: websocket")).toMatch(/^HTTP\/1.1 400/)
      expect(yield* upgrade("upgrade: h2c")).toMatch(/^HTTP\/1.1 400/)
      expect(yield* upgrade("upgrade: websocket\r\nsec-websocket-version: 99\r\nsec-websocket-key: x")).toMatch(
        /^HTTP\/1.1 400/
      )
      expect(yield* ask).toHaveProperty("result", {})
    }))

  it.effect("says 400 to what is no HTTP", () =>
    Effect.gen(function*() {
      expect(yield* say((yield* gateway).port, "{\"jsonrpc\":\"2.0\"}\r\n\r\n")).toMatch(/^HTTP\/1.1 400/)
      expect(yield* ask).toHaveProperty("result", {})
    }))

  it.effect("survives clients that leave in the middle", () =>
    Effect.gen(function*() {
      const { key, port } = yield* gateway
      const head = `POST /rpc HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${key}\r\n`
      yield* sayAndLeave(port, "POST /rpc HTT")
      yield* sayAndLeave(port, head)
      yield* sayAndLeave(port, `${head}content-length: 100\r\n\r\n${ping}`)
      yield* sayAndLeave(port, `${head}transfer-encoding: chunked\r\n\r\n5\r\n{"jso`)
      yield* sayAndLeave(port, `${head}content-length: ${ping.length}\r\n\r\n${ping}`)
      yield* sayAndLeave(
        port,
        `GET /mcp HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${key}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n`
          + `sec-websocket-version: 13\r\nsec-websocket-key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n`
      )
      expect(yield* ask).toHaveProperty("result", {})
    }))

  it.effect("does not mind what a body calls itself", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      expect((yield* post(served, ping, { headers: { "content-type": "text/plain" } })).status).toBe(200)
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("a body", (it) => {
  const bodyOf = (bytes: number) => ping.padEnd(bytes, " ")

  const chunked = (bytes: number) =>
    Effect.flatMap(gateway, ({ key, port }) =>
      Effect.async<number | undefined>((resume) => {
        const sending = http.request({
          port,
          path: "/rpc",
          method: "POST",
          agent: false,
          headers: { authorization: `Bearer ${key}`, "transfer-encoding": "chunked" }
        }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
        sending.on("error", (cause) => resume(Effect.die(cause)))
        sending.write(ping)
        const chunk = " ".repeat(1024 * 1024)
        for (let rest = bytes - ping.length; rest > 0; rest -= chunk.length) {
          sending.write(chunk.slice(0, Math.min(rest, chunk.length)))
        }
        sending.end()
      })).pipe(within("the answer"))

  it.effect("of 16 MiB is read, with its length before it", () =>
    Effect.gen(function*() {
      expect((yield* post(yield* gateway, bodyOf(maximumBytes))).status).toBe(200)
    }))

  it.effect("of one byte more is answered 413, with its length before it", () =>
    Effect.gen(function*() {
      const answer = yield* post(yield* gateway, bodyOf(maximumBytes + 1))
      expect(answer.status).toBe(413)
      expect(answer.body).toMatchObject({
        id: null,
        error: { data: { error_type: "ResourceExhausted", context: { limit: maximumBytes } } }
      })
    }))

  it.effect("of 16 MiB is read in chunks", () =>
    Effect.gen(function*() {
      expect(yield* chunked(maximumBytes)).toBe(200)
    }))

  it.effect("of one byte more is answered 413 in chunks", () =>
    Effect.gen(function*() {
      expect(yield* chunked(maximumBytes + 1)).toBe(413)
      expect(yield* chunked(2 * maximumBytes)).toBe(413)
    }))
})
