import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { decodeFrame, encodeNotification, encodeRequest, failureOf, successOf } from "../../src/connection/jsonRpc.js"
import { parameters } from "../support/runs.js"

const frame = (value: unknown) => decodeFrame(JSON.stringify(value))

const v2 = { jsonrpc: "2.0" }

describe("decodeFrame", () => {
  it.each([
    [{ ...v2, id: 1, method: "m", params: { a: 1 } }, { _tag: "Request", id: 1, method: "m", params: { a: 1 } }],
    [{ ...v2, id: 0, method: "m" }, { _tag: "Request", id: 0, method: "m", params: undefined }],
    [{ ...v2, id: "a", method: "m", params: [1] }, { _tag: "Request", id: "a", method: "m", params: [1] }],
    [{ ...v2, method: "m" }, { _tag: "Notification", method: "m", params: undefined }],
    [{ ...v2, id: 0, result: null }, { _tag: "Success", id: 0, result: null }],
    [{ ...v2, id: "a", result: 7 }, { _tag: "Success", id: "a", result: 7 }],
    [{ ...v2, id: 1, result: {}, error: null }, { _tag: "Success", id: 1, result: {} }],
    [{ ...v2, id: 1, error: { code: 5, message: "m", data: 1 } }, {
      _tag: "Failure",
      id: 1,
      error: { code: 5, message: "m", data: 1 }
    }],
    [{ ...v2, id: null, error: { code: -32700, message: "m" } }, {
      _tag: "Failure",
      id: null,
      error: { code: -32700, message: "m", data: undefined }
    }],
    [{ ...v2, id: 1, error: {} }, { _tag: "Failure", id: 1, error: { code: -32603, message: "", data: undefined } }],
    [{ ...v2, id: 1, error: "text" }, { _tag: "Failure", id: 1, error: { code: -32603, message: "text" } }],
    [{ ...v2, id: 1, error: { code: "5", message: 6 } }, {
      _tag: "Failure",
      id: 1,
      error: { code: -32603, message: "", data: undefined }
    }]
  ])("reads %j", (value, expected) => {
    expect(frame(value)).toEqual(expected)
  })

  it.each([
    ["{", -32700, null],
    ["", -32700, null],
    ["42", -32600, null],
    ["null", -32600, null],
    ["\"text\"", -32600, null],
    ["[]", -32600, null],
    ["{}", -32600, null],
    [JSON.stringify({ id: 1, method: "m" }), -32600, 1],
    [JSON.stringify({ jsonrpc: "1.0", id: "a", result: 1 }), -32600, "a"],
    [JSON.stringify({ ...v2, id: 1, method: 7 }), -32600, 1],
    [JSON.stringify({ ...v2, id: {}, method: "m" }), -32600, null],
    [JSON.stringify({ ...v2, id: null, method: "m" }), -32600, null],
    [JSON.stringify({ ...v2, id: true, result: 1 }), -32600, null],
    [JSON.stringify({ ...v2, id: 1, method: "m", params: 3 }), -32600, 1],
    [JSON.stringify({ ...v2, id: 1 }), -32600, 1]
  ])("finds invalid: %.60s", (text, code, id) => {
    expect(decodeFrame(text)).toMatchObject({ _tag: "Invalid", id, error: { code } })
  })

  it("reads what is nested deeply", () => {
    expect(["Batch", "Invalid"]).toContain(decodeFrame(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)._tag)
  })

  it("reads a batch message by message", () => {
    expect(frame([{ ...v2, id: 1, result: 1 }, 7, { ...v2, method: "m" }])).toMatchObject({
      _tag: "Batch",
      messages: [{ _tag: "Success" }, { _tag: "Invalid" }, { _tag: "Notification" }]
    })
  })

  it("never throws", () => {
    const fields = FastCheck.record({
      jsonrpc: FastCheck.constantFrom("2.0", 2),
      id: FastCheck.jsonValue(),
      method: FastCheck.oneof(FastCheck.string(), FastCheck.jsonValue()),
      params: FastCheck.jsonValue(),
      result: FastCheck.jsonValue(),
      error: FastCheck.jsonValue()
    }, { requiredKeys: [] })
    const text = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.json(),
      fields.map((value) => JSON.stringify(value)),
      FastCheck.array(fields).map((value) => JSON.stringify(value))
    )
    const tags = ["Request", "Notification", "Success", "Failure", "Invalid", "Batch"]
    FastCheck.assert(
      FastCheck.property(text, (any) => {
        expect(tags).toContain(decodeFrame(any)._tag)
      }),
      parameters(20_000)
    )
  })

  it("reads back what is written", () => {
    const ids = FastCheck.oneof(FastCheck.string(), FastCheck.integer())
    FastCheck.assert(
      FastCheck.property(
        ids,
        FastCheck.string(),
        FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue()),
        (id, method, params) => {
          const sent: unknown = JSON.parse(JSON.stringify(params))
          expect(decodeFrame(encodeRequest(id, method, params))).toEqual({ _tag: "Request", id, method, params: sent })
          expect(decodeFrame(encodeNotification(method, params))).toEqual({
            _tag: "Notification",
            method,
            params: sent
          })
          expect(frame(successOf(id, params))).toEqual({ _tag: "Success", id, result: sent })
          expect(frame(failureOf(id, { code: 1, message: method }))).toMatchObject({ _tag: "Failure", id })
        }
      ),
      parameters(1000)
    )
  })

  it("answers nothing with null, since an answer has a result", () => {
    expect(frame(successOf(1, undefined))).toEqual({ _tag: "Success", id: 1, result: null })
  })
})
