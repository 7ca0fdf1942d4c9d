import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { Gateway } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { initialized } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

const blocked = "filesystem.write"

const open = Policy.catalogueTiers(Object.values(builtIn))

const policy: Policy.PolicyService = {
  ...open,
  decide: (agent, capability, input, now) =>
    capability.name === blocked
      ? { tier: "blocked", rule: "test:no-writing", reason: "this workspace is only for reading" }
      : capability.name === "filesystem.read" && input["path"] === "secret"
      ? { tier: "blocked", rule: "test:no-secrets", reason: undefined }
      : open.decide(agent, capability, input, now),
  listedTier: (agent, capability) => capability.name === blocked ? "blocked" : open.listedTier(agent, capability)
}

layer(Layer.scoped(Gateway, serveCustom({ policy })), { excludeTestServices: true })("a blocked capability", (it) => {
  const everythingElse = Object.keys(builtIn).filter((name) => name !== blocked).sort()

  it.scoped("is in no list", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      const names = (answer: unknown, ...path: ReadonlyArray<string>) =>
        listAt(answer, "result", ...path).map((entry) => textAt(entry, "name"))
      expect(names(yield* socket.call("capabilities.list"), "capabilities")).toEqual(everythingElse)
      expect(names(yield* socket.call("tools/list"), "tools")).toEqual(
        everythingElse.map((name) => name.replaceAll(".", "__"))
      )
      const own = yield* socket.call("capabilities.invoke", { capability: "agent.capabilities" })
      expect(names(own, "data", "capabilities")).toEqual(everythingElse)
    }))

  it.scoped("is not described", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      expect(yield* socket.call("capabilities.describe", { name: blocked })).toMatchObject({
        error: { code: -32602, data: { error_type: "CapabilityNotFound" } }
      })
    }))

  it.scoped.each([{ path: "a", content: "b" }, {}, { made: "up" }])(
    "is refused with the rule and the reason, whatever its arguments: %j",
    (given) =>
      Effect.gen(function*() {
        const served = yield* Gateway
        const socket = yield* initialized(served)
        const denial = {
          type: "PolicyDenied",
          message: expect.stringContaining("only for reading"),
          retryable: false,
          recovery: expect.arrayContaining([
            expect.objectContaining({ action: "check_policy", capability: "agent.policy" })
          ]),
          context: expect.objectContaining({ rule: "test:no-writing", reason: "this workspace is only for reading" })
        }
        const params = { capability: blocked, arguments: given }
        expect(yield* socket.call("capabilities.invoke", params)).toMatchObject({
          result: { success: false, error: denial }
        })
        expect(yield* rpc(served, "capabilities.invoke", params)).toMatchObject({
          result: { success: false, error: denial }
        })
        const called = yield* socket.call("tools/call", { name: "filesystem__write", arguments: given })
        expect(at(called, "result", "isError")).toBe(true)
        expect(JSON.parse(textAt(called, "result", "content", 0, "text"))).toMatchObject({
          error: "PolicyDenied",
          context: { rule: "test:no-writing" }
        })
      })
  )

  it.scoped("can be blocked for some arguments only, and is listed then", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      const read = (path: string) =>
        socket.call("capabilities.invoke", { capability: "filesystem.read", arguments: { path } })
      expect(yield* read("secret")).toMatchObject({
        result: { error: { type: "PolicyDenied", context: { rule: "test:no-secrets" } } }
      })
      expect(yield* read("other")).toMatchObject({ result: { error: { type: "FileNotFound" } } })
    }))
})
