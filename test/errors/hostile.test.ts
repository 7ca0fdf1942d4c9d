import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { decodeFailure } from "../../src/errors/decode.js"
import { encodeFailure } from "../../src/errors/encode.js"
import { isCapabilityError, isGatewayError } from "../../src/errors/index.js"
import { wireFailureOfAny, wireFailureOfRpc, wireFailureOfText } from "../../src/errors/wire.js"
import { parameters } from "../support/runs.js"

const decode = (value: unknown) => decodeFailure(wireFailureOfAny(value), "filesystem.read")

const names = FastCheck.constantFrom(
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "type",
  "error",
  "error_type",
  "message",
  "description",
  "recovery",
  "recovery_actions",
  "retryable",
  "retry_after",
  "retry_after_seconds",
  "context",
  "approval_id",
  "path",
  "limit",
  "window",
  "timeout_seconds",
  "capability",
  "raw"
)

const types = FastCheck.constantFrom(
  "RateLimited",
  "Timeout",
  "ApprovalPending",
  "ApprovalTimeout",
  "FileNotFound",
  "ResourceExhausted",
  "OutputMismatch",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  ""
)

// As text, so that `__proto__` is a field like any other, as in what a gateway sends.
const { text } = FastCheck.letrec<{ text: string }>((tie) => ({
  text: FastCheck.oneof(
    { maxDepth: 5 },
    FastCheck.json(),
    FastCheck.constantFrom("1e400", "-1", "null", "true", "1e300", "0.1", "-0"),
    types.map((type) => JSON.stringify(type)),
    FastCheck.array(tie("text"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
    FastCheck.array(FastCheck.tuple(names, tie("text")), { maxLength: 8 }).map((entries) =>
      `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`
    )
  )
}))

describe("hostile errors", () => {
  it("are read without throwing, as an error that can be written again", () => {
    FastCheck.assert(
      FastCheck.property(text, FastCheck.integer(), (json, code) => {
        const value: unknown = JSON.parse(json)
        const failures = [
          wireFailureOfAny(value),
          wireFailureOfText(json),
          wireFailureOfRpc({ code, message: "m", data: value }),
          wireFailureOfRpc({ code: -32000, message: "", data: value }),
          wireFailureOfRpc({ code: -32002, message: "", data: value })
        ]
        for (const failure of failures) {
          if (failure === undefined) continue
          const error = decodeFailure(failure)
          expect(error.message).not.toBe("")
          expect(isCapabilityError(error) || isGatewayError(error)).toBe(true)
          JSON.stringify(encodeFailure(error))
        }
      }),
      parameters(5000)
    )
  })

  it("change no prototype", () => {
    const fields = "\"__proto__\":{\"polluted\":1},\"constructor\":{\"prototype\":{\"polluted\":1}}"
    const error = decode(JSON.parse(
      `{"type":"FileNotFound","message":"m",${fields},"context":{${fields}},"recovery":[{"action":"a","inputs":{${fields}}}]}`
    ))
    expect(error._tag).toBe("FileNotFound")
    for (const object of [error, error.context, error.recovery[0]?.inputs ?? {}, {}]) {
      expect("polluted" in object).toBe(false)
    }
    expect(Object.getPrototypeOf(error.context)).toBe(Object.prototype)
    expect(Object.keys(error.context)).toEqual(["constructor"])
  })

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])("have an unknown type: %s", (type) => {
    expect(decode({ type, message: "m" })).toMatchObject({ _tag: "CapabilityError", type })
  })

  it("are read however deep they are nested", () => {
    const depth = 200_000
    const nested = `${"{\"error\":".repeat(depth)}{"type":"FileNotFound"}${"}".repeat(depth)}`
    expect(wireFailureOfText(nested).message).not.toBe("")
    expect(decode({ error: { error: { error: { type: "FileNotFound" } } } })._tag).toBe("FileNotFound")
  })

  it("are read however long they are", () => {
    const long = "x".repeat(5_000_000)
    expect(decode({ type: "FileNotFound", message: long, path: long })).toMatchObject({ message: long, path: long })
    expect(wireFailureOfText(long).message).toBe(long)
    const many = decode({ type: "X", message: "m", recovery: Array.from({ length: 100_000 }, () => "again") })
    expect(many.recovery).toHaveLength(100_000)
  })

  it.each([
    { type: 7, message: "m" },
    { type: "FileNotFound", message: 7, recovery: 7, retryable: "no", retry_after: "soon", context: "here" },
    {
      type: "RateLimited",
      message: {},
      context: { limit: "ten", window_seconds: {}, retry_after_seconds: -1, window: [] }
    },
    { type: "Timeout", context: { timeout_seconds: -5, operation: null } },
    { type: "VersionConflict", context: { expected_version: "1", actual_version: Number.NaN } },
    { type: "ApprovalPending", context: { approval_id: {} } },
    { type: "PolicyDenied", context: { rule: 1, reason: [] } }
  ])("lose only the fields of the wrong type: %j", (value) => {
    const error = decode(value)
    expect(error.message).not.toBe("")
    expect(error.recovery).toEqual([])
  })

  it("wait no longer than can be measured", () => {
    const { retryAfter } = decode(JSON.parse("{\"type\":\"RateLimited\",\"retry_after\":1e400}"))
    expect(retryAfter).toBeDefined()
    expect(JSON.parse(JSON.stringify(encodeFailure(decode({ type: "X", retry_after: 1e300 })))).retry_after).toBe(1e9)
  })
})
