import { expect, layer } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { WebSocket } from "ws"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { within } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"

const gateway = TestGateway.Gateway

const withWebSocket = Effect.acquireRelease(
  Effect.sync(() => {
    const before = globalThis.WebSocket
    Object.assign(globalThis, { WebSocket })
    return before
  }),
  (before) => Effect.sync(() => Object.assign(globalThis, { WebSocket: before }))
)

const connecting = (served: TestGateway.TestGateway, token = served.key) =>
  Effect.gen(function*() {
    yield* withWebSocket
    const client = new Client({ name: "official", version: "1" })
    yield* Effect.addFinalizer(() => Effect.promise(() => client.close()))
    yield* Effect.tryPromise(() =>
      client.connect(new WebSocketClientTransport(new URL(`${served.url}?token=${token}`)))
    )
    return client
  }).pipe(within("the client"))

const use = <A>(client: Client, ask: (client: Client) => Promise<A>) =>
  Effect.promise(() => ask(client)).pipe(within("an answer"))

const callTool = (client: Client, name: string, given: Record<string, unknown>) =>
  use(client, async () => CallToolResultSchema.parse(await client.callTool({ name, arguments: given })))

layer(TestGateway.layer(), { excludeTestServices: true })("the official client", (it) => {
  it.scoped("connects, and learns what it talks to", () =>
    Effect.gen(function*() {
      const client = yield* connecting(yield* gateway)
      expect(client.getServerVersion()).toMatchObject({ name: "kruxos-gateway" })
      expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true } })
      yield* use(client, () => client.ping())
    }))

  it.scoped("lists the tools, and accepts the schemas of all of them", () =>
    Effect.gen(function*() {
      const client = yield* connecting(yield* gateway)
      const { tools } = yield* use(client, () => client.listTools())
      // The default policy blocks email.bulk_delete.
      expect(tools).toHaveLength(Object.keys(builtIn).length - 1)
    }))

  it.scoped("calls a tool, and accepts what it gives as structured content", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      fs.writeFileSync(join(served.workspace, "a.txt"), "hello\n")
      const client = yield* connecting(served)
      // From then on the client checks results against the output schemas.
      yield* use(client, () => client.listTools())
      const result = yield* callTool(client, "filesystem__read", { path: "a.txt" })
      expect(result.content).toEqual([{ type: "text", text: "hello\n" }])
      expect(result.structuredContent).toMatchObject({ content: "hello\n", size: 6 })
      for (const name of ["agent__whoami", "agent__session", "agent__policy", "system__info"]) {
        expect((yield* callTool(client, name, {})).structuredContent).toEqual(expect.any(Object))
      }
    }))

  it.scoped("is told how far a call is", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const client = yield* connecting(served)
      // This client misses what comes together with the answer: the search has to take longer than a moment.
      for (let file = 0; file < 2000; file++) fs.writeFileSync(join(served.workspace, `searched-${file}.txt`), "")
      const told: Array<unknown> = []
      yield* use(client, () =>
        client.callTool({ name: "filesystem__search", arguments: { path: "/workspace", pattern: "*" } }, undefined, {
          onprogress: (progress) =>
            told.push(progress)
        }))
      expect(told[0]).toEqual({ progress: 1 })
    }))

  it.scoped("is told of a failure", () =>
    Effect.gen(function*() {
      const client = yield* connecting(yield* gateway)
      yield* use(client, () => client.listTools())
      const result = yield* callTool(client, "filesystem__read", { path: "none" })
      expect(result.isError).toBe(true)
    }))

  it.scoped("is told that a call waits for approval", () =>
    Effect.gen(function*() {
      const client = yield* connecting(yield* gateway)
      yield* use(client, () => client.listTools())
      const result = yield* callTool(client, "filesystem__delete", { path: "a.txt" })
      expect(result.isError ?? false).toBe(false)
      expect(result.content).toEqual([{ type: "text", text: expect.stringContaining("\"pending_approval\"") }])
    }))

  it.scoped("is refused an unknown tool", () =>
    Effect.gen(function*() {
      const client = yield* connecting(yield* gateway)
      const refused = yield* Effect.flip(
        Effect.tryPromise({ try: () => client.callTool({ name: "no__such_tool" }), catch: (error) => error })
      )
      expect(refused).toMatchObject({ code: -32602 })
    }))

  it.scoped("is refused with a wrong token", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(connecting(yield* gateway, "0".repeat(64)))
      expect(refused.error).toMatchObject({ message: expect.stringContaining("401") })
    }))
})
