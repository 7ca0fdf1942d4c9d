import * as Duration from "effect/Duration"
import { describe, expect, it } from "vitest"
import { decodeFailure } from "../../src/errors/decode.js"
import { type RpcError, wireFailureOfAny, wireFailureOfRpc, wireFailureOfText } from "../../src/errors/wire.js"

const recovery = [
  { action: "list_directory", description: "See what is there" },
  { action: "check_path", description: "Look at the path again" }
]

const structured = {
  error_type: "FileNotFound",
  description: "There is no file",
  agent_description: "Look before you read",
  recovery_actions: [
    { ...recovery[0], capability: "filesystem.list", inputs: { path: "/workspace" } },
    { ...recovery[1], capability: null, inputs: null }
  ],
  retryable: false,
  retry_after: null,
  context: { path: "/workspace/a" }
}

const fromRpc = (error: RpcError) => {
  const failure = wireFailureOfRpc(error)
  return failure === undefined ? undefined : decodeFailure(failure, "filesystem.read")
}

const fromText = (text: string) => decodeFailure(wireFailureOfText(text), "filesystem.read")

describe("the shapes of an error", () => {
  const flat = { type: "FileNotFound", message: "There is no file", recovery, path: "/workspace/a" }
  const mcp = { error: "FileNotFound", message: "There is no file", recovery, context: { path: "/workspace/a" } }
  const both = [
    ["the error of a result", decodeFailure(wireFailureOfAny(flat))],
    ["a whole result", decodeFailure(wireFailureOfAny({ success: false, error: flat }))],
    ["a JSON-RPC error with an error object as data", fromRpc({ code: -32603, message: "failed", data: flat })],
    [
      "a JSON-RPC error whose data holds the error",
      fromRpc({ code: -32001, message: "failed", data: { error: flat } })
    ],
    ["the text of a tool result", fromText(JSON.stringify(mcp))],
    ["the text of a tool result that holds a whole result", fromText(JSON.stringify({ success: false, error: flat }))]
  ] as const

  it.each(both)("%s", (_, error) => {
    expect(error).toMatchObject({ _tag: "FileNotFound", message: "There is no file", path: "/workspace/a", recovery })
    expect(error?.context).toEqual({ path: "/workspace/a" })
  })

  const wrapped = [
    ["a result", decodeFailure(wireFailureOfAny({ success: false, error: structured }))],
    ["JSON-RPC data", fromRpc({ code: -32603, message: "failed", data: structured })],
    ["a tool result", fromText(JSON.stringify(structured))],
    ["a tool result, one level down", fromText(JSON.stringify({ error: structured }))]
  ] as const

  it.each(wrapped)("a StructuredError inside %s", (_, error) => {
    expect(error).toMatchObject({
      _tag: "FileNotFound",
      message: "Look before you read",
      path: "/workspace/a",
      retryable: false,
      recovery: [{ ...recovery[0], capability: "filesystem.list", inputs: { path: "/workspace" } }, recovery[1]]
    })
    expect(error?.recovery[1]).toEqual(recovery[1])
  })

  it("has recovery actions as bare strings, one or many, between whole ones", () => {
    const actions = (value: object) => decodeFailure(wireFailureOfAny({ type: "X", message: "m", ...value })).recovery
    expect(actions({ recovery: ["retry", { action: "wait" }] })).toEqual([
      { action: "retry", description: "" },
      { action: "wait", description: "" }
    ])
    expect(actions({ recovery_actions: null, recovery: ["retry"] })).toEqual([{ action: "retry", description: "" }])
    expect(actions({ recovery: "retry" })).toEqual([{ action: "retry", description: "" }])
    expect(actions({ recovery: [{ action: "a", description: null }, { description: "b" }, 3, null, []] })).toEqual([
      { action: "a", description: "" }
    ])
  })
})

describe("JSON-RPC error codes", () => {
  it.each([
    [-32000, "RateLimited"],
    [-32001, "PolicyDenied"],
    [-32003, "AuthenticationFailed"],
    [-32602, "InvalidInput"]
  ])("%d without data is %s", (code, tag) => {
    expect(fromRpc({ code, message: "told so" })).toMatchObject({ _tag: tag, message: "told so" })
    expect(fromRpc({ code, message: "" })?.message).toMatch(/^The gateway reported \w+$/)
  })

  it.each([-32700, -32600, -32601, -32603, 7])("%d without data is a failure of the protocol", (code) => {
    expect(wireFailureOfRpc({ code, message: "told so" })).toBeUndefined()
    expect(wireFailureOfRpc({ code, message: "told so", data: "details" })).toBeUndefined()
    expect(wireFailureOfRpc({ code, message: "told so", data: { details: 1 } })).toBeUndefined()
  })

  it("says when to come back after a rate limit", () => {
    const data = { retry_after_seconds: 12, limit: 100, window: "1h" }
    expect(fromRpc({ code: -32000, message: "Slow down", data })).toMatchObject({
      _tag: "RateLimited",
      message: "Slow down",
      retryable: true,
      retryAfter: Duration.seconds(12),
      limit: 100,
      windowSeconds: 3600,
      context: data
    })
  })

  it("keeps the message of the error where its data has none", () => {
    expect(fromRpc({ code: -32603, message: "There is no file", data: { type: "FileNotFound", path: "a" } }))
      .toMatchObject({
        _tag: "FileNotFound",
        message: "There is no file",
        path: "a"
      })
  })

  it("does not take a detail named type for the type of the error", () => {
    expect(fromRpc({ code: -32001, message: "No", data: { type: "policy", rule: "r" } })).toMatchObject({
      _tag: "PolicyDenied",
      message: "No",
      rule: "r"
    })
  })
})

describe("the text of a failed tool", () => {
  it.each(["The disk is on fire", "[1, 2]", "42", "\"quoted\"", "{ not json", "null"])("is the message: %s", (text) => {
    expect(fromText(text)).toMatchObject({ _tag: "CapabilityError", type: "CapabilityError", message: text })
  })

  it("is never an empty message", () => {
    expect(fromText("").message).toBe("The gateway reported an error without a type")
    expect(fromText("{}").message).toBe("The gateway reported an error without a type")
  })

  it("keeps what an object without a type says", () => {
    expect(fromText(JSON.stringify({ message: "Nope", recovery: ["retry"], hint: 1 }))).toMatchObject({
      _tag: "CapabilityError",
      message: "Nope",
      recovery: [{ action: "retry", description: "" }],
      context: { hint: 1 }
    })
    expect(decodeFailure(wireFailureOfAny("It broke"))).toMatchObject({ _tag: "CapabilityError", message: "It broke" })
  })
})

describe("a pending approval", () => {
  const pending = { _tag: "ApprovalRequired", approvalId: "apr-1", capability: "filesystem.read", retryable: false }

  it.each([
    ["approval_id", fromRpc({ code: -32002, message: "wait", data: { approval_id: "apr-1" } })],
    ["request_id", fromRpc({ code: -32002, message: "wait", data: { request_id: "apr-1" } })],
    [
      "an error object",
      fromRpc({ code: -32002, message: "wait", data: { type: "ApprovalPending", approval_id: "apr-1" } })
    ],
    [
      "the error of a result",
      decodeFailure(
        wireFailureOfAny({
          type: "ApprovalPending",
          message: "wait",
          context: { request_id: "apr-1", capability: "filesystem.read" }
        })
      )
    ],
    ["the text of a failed tool", fromText(JSON.stringify({ error: "ApprovalPending", request_id: "apr-1" }))]
  ])("arrives as %s", (_, error) => {
    expect(error).toMatchObject(pending)
  })

  it("without an id is a failure of the protocol", () => {
    expect(fromRpc({ code: -32002, message: "wait" })?._tag).toBe("ProtocolError")
    expect(fromRpc({ code: -32002, message: "wait", data: { approval_id: 7 } })?._tag).toBe("ProtocolError")
  })
})
