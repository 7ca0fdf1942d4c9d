import * as Arbitrary from "effect/Arbitrary"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { decodeFailure } from "../../src/errors/decode.js"
import { encodeFailure } from "../../src/errors/encode.js"
import { ApprovalRequired, FileNotFound, KruxosError, OutputMismatch } from "../../src/errors/index.js"
import { wireFailureOfAny } from "../../src/errors/wire.js"
import { parameters } from "../support/runs.js"
import { commonFields, everyError, ownFields } from "./everyError.js"

/** As it is read by a client that knows which capability it has invoked. */
const overTheWire = (error: KruxosError) =>
  decodeFailure(wireFailureOfAny(JSON.parse(JSON.stringify(encodeFailure(error)))), error.capability)

const encode = Schema.encodeSync(KruxosError)

const decode = Schema.decodeUnknownSync(KruxosError)

const throughStore = (error: KruxosError) => decode(JSON.parse(JSON.stringify(encode(error))))

describe("every error", () => {
  it.each(everyError.map((error) => [error._tag, error] as const))("%s goes over the wire", (_, error) => {
    const arrived = overTheWire(error)
    expect(arrived._tag).toBe(error._tag)
    expect(ownFields(arrived)).toEqual(ownFields(error))
    expect(commonFields(arrived)).toEqual(commonFields(error))
    expect(arrived.context).toMatchObject(error.context)
    // What has arrived goes on without any change, such as through another gateway.
    expect(encodeFailure(arrived)).toEqual(encodeFailure(error))
  })

  it.each(everyError.map((error) => [error._tag, error] as const))("%s can be stored and loaded", (_, error) => {
    const loaded = throughStore(error)
    expect(loaded).toBeInstanceOf(error.constructor)
    expect(loaded.type).toBe(error.type)
    expect(ownFields(loaded)).toEqual(ownFields(error))
    expect(commonFields(loaded)).toEqual(commonFields(error))
    expect(loaded.context).toEqual(error.context)
  })

  it.each(everyError.map((error) => [error._tag, error] as const))("%s reads well", (_, error) => {
    expect(String(error)).toMatch(/: It went wrong$/)
  })
})

describe("errors of any content", () => {
  const text = FastCheck.string({ unit: "binary" }).filter((value) => value !== "")
  const fields = FastCheck.record({
    message: text,
    path: FastCheck.option(text, { nil: undefined }),
    capability: FastCheck.option(text, { nil: undefined }),
    retryable: FastCheck.boolean(),
    recovery: FastCheck.array(FastCheck.record({
      action: text,
      description: FastCheck.string()
    })),
    context: FastCheck.dictionary(
      FastCheck.stringMatching(/^detail_[a-z]{1,8}$/),
      FastCheck.jsonValue()
    )
  })

  it("go over the wire", () => {
    FastCheck.assert(
      FastCheck.property(fields, (given) => {
        const error = new FileNotFound(given)
        const arrived = overTheWire(error)
        expect(arrived._tag).toBe("FileNotFound")
        expect(ownFields(arrived)).toEqual(ownFields(error))
        expect(commonFields(arrived)).toEqual(commonFields(error))
      }),
      parameters(1000)
    )
  })

  it("can be stored and loaded", () => {
    const handles = Arbitrary.make(Schema.Struct({ approvalId: Schema.String, idempotencyKey: Schema.String }))
    FastCheck.assert(
      FastCheck.property(fields, handles, (given, handle) => {
        const error = new ApprovalRequired({ ...given, ...handle })
        const loaded = throughStore(error)
        expect(loaded).toBeInstanceOf(ApprovalRequired)
        expect(ownFields(loaded)).toEqual(handle)
        expect(Equal.equals(commonFields(loaded).message, error.message)).toBe(true)
        expect(loaded.capability).toBe(error.capability)
      }),
      parameters(1000)
    )
  })
})

it("stores an output that never came", () => {
  expect(throughStore(new OutputMismatch({ message: "m", raw: undefined }))._tag).toBe("OutputMismatch")
})

it("stores the cause as its name and message", () => {
  const cause = new TypeError("deep down")
  const { cause: loaded } = throughStore(new FileNotFound({ message: "m", cause }))
  expect(loaded).toMatchObject({ name: "TypeError", message: "deep down" })
  expect(JSON.stringify(encodeFailure(new FileNotFound({ message: "m", cause })))).not.toContain("deep down")
})
