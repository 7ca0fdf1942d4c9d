import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { capabilityName, toolName } from "../catalogue/toolName.js"
import { type WireFailure, wireFailureOfText } from "../errors/wire.js"
import type { CapabilityDefinition, InputDefinition } from "../schema/CapabilityDefinition.js"
import { isTooDeep } from "../schema/nesting.js"
import { byteLength } from "./Duplex.js"
import { type InvokeRequest, Malformed, type RawOutcome } from "./InvokeRequest.js"
import type { Channel, ChannelFailure } from "./Link.js"

const InputSchema = Schema.Struct({
  properties: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
  required: Schema.optional(Schema.Array(Schema.String))
})

const ToolList = Schema.Struct({
  tools: Schema.Array(Schema.Struct({
    name: Schema.String,
    description: Schema.optional(Schema.NullOr(Schema.String)),
    inputSchema: Schema.optional(Schema.Unknown)
  })),
  nextCursor: Schema.optional(Schema.NullOr(Schema.String))
})

const ToolResult = Schema.Struct({
  content: Schema.optionalWith(Schema.Array(Schema.Unknown), { default: () => [] }),
  isError: Schema.optional(Schema.NullOr(Schema.Boolean)),
  structuredContent: Schema.optional(Schema.Unknown)
})

const isInputSchema = Schema.is(InputSchema)

const decodeToolList = Schema.decodeUnknownEither(ToolList)

const decodeToolResult = Schema.decodeUnknownEither(ToolResult)

const wireTypes = new Map([
  ["string", "String"],
  ["integer", "Integer"],
  ["number", "Number"],
  ["boolean", "Boolean"],
  ["array", "Array"],
  ["object", "Object"]
])

const text = (object: unknown, key: string): string =>
  Predicate.isRecord(object) && typeof object[key] === "string" ? object[key] : ""

const inputsOf = (schema: unknown): ReadonlyArray<InputDefinition> =>
  isInputSchema(schema)
    ? Object.entries(schema.properties ?? {}).map(([name, property]) => ({
      name,
      type: wireTypes.get(text(property, "type")) ?? "Object",
      required: schema.required?.includes(name) ?? false,
      ...(Predicate.isRecord(property) && "default" in property ? { default: property["default"] } : {}),
      description: text(property, "description")
    }))
    : []

const definitionOf = (tool: typeof ToolList.Type["tools"][number]): CapabilityDefinition => ({
  name: capabilityName(tool.name),
  version: "",
  purpose: tool.description ?? "",
  whenToUse: "",
  inputs: inputsOf(tool.inputSchema),
  outputs: [],
  errors: [],
  tags: [],
  sideEffects: [],
  commonPatterns: [],
  permissionTier: undefined
})

// What several requests share of one deadline.
const timeLeft = (timeoutMillis: number) =>
  Effect.map(
    Clock.currentTimeMillis,
    (start) => Effect.map(Clock.currentTimeMillis, (now) => Math.max(1, start + timeoutMillis - now))
  )

const mostPages = 1000

/** The capabilities of a gateway as its MCP tools tell of them: names, purposes and inputs, but no tiers and no tags. */
export const listTools = Effect.fnUntraced(function*(channel: Channel, timeoutMillis: number) {
  const remaining = yield* timeLeft(timeoutMillis)
  const definitions: Array<CapabilityDefinition> = []
  let cursor: string | null | undefined
  for (let page = 0; page < mostPages; page++) {
    const result = yield* channel.request("tools/list", cursor ? { cursor } : {}, yield* remaining)
    const { nextCursor, tools } = yield* Either.mapLeft(
      decodeToolList(result),
      ({ message }) => new Malformed({ message: `The answer to tools/list is malformed: ${message}` })
    )
    definitions.push(...tools.map(definitionOf))
    cursor = nextCursor
    if (!cursor) return definitions
  }
  return yield* new Malformed({ message: `The answer to tools/list has more than ${mostPages} pages` })
})

const textsOf = (item: unknown): ReadonlyArray<string> =>
  Predicate.isRecord(item) && typeof item["text"] === "string" ? [item["text"]] : []

const output = (data: unknown): RawOutcome => ({ _tag: "Output", data })

const failed = (failure: WireFailure): RawOutcome => ({ _tag: "Failure", failure })

const pendingId = (value: unknown): string | undefined =>
  Predicate.isRecord(value) && value["status"] === "pending_approval" && typeof value["approval_id"] === "string"
    ? value["approval_id"]
    : undefined

const pending = (approvalId: string, message: string): RawOutcome =>
  failed({
    type: "ApprovalPending",
    message: message === "" ? "The invocation waits for approval" : message,
    recovery: [],
    retryable: false,
    retryAfter: undefined,
    context: { approval_id: approvalId }
  })

const plainText = (content: string, { arguments: input }: InvokeRequest): RawOutcome => {
  // The size of a whole text file can be told from its content; that of a part, or of decoded bytes, cannot.
  const isWhole = input["offset"] === undefined && input["limit"] === undefined
  const isUtf8 = input["encoding"] === undefined || input["encoding"] === "utf-8"
  return output({ text: content, content, ...(isWhole && isUtf8 ? { size: byteLength(content) } : {}) })
}

const parse = (content: string): unknown => {
  const parsed = Either.getOrUndefined(Either.try((): unknown => JSON.parse(content)))
  return isTooDeep(content, parsed) ? undefined : parsed
}

/**
 * Invokes a capability as an MCP tool. What the text of the result means is decided by the capability's output, not by
 * what it looks like: the content of a file may look like JSON, an error, or a pending approval. Where it looks like the
 * last, the gateway is asked whether it knows of one.
 */
export const callTool = Effect.fnUntraced(function*(channel: Channel, request: InvokeRequest, timeoutMillis: number) {
  const remaining = yield* timeLeft(timeoutMillis)
  const params = {
    name: toolName(request.name),
    arguments: request.arguments,
    _meta: request.trace?.over(request, channel)
  }
  const result = yield* channel.request("tools/call", params, timeoutMillis, request.trace)
  const { content, isError, structuredContent } = yield* Either.mapLeft(
    decodeToolResult(result),
    ({ message }) => new Malformed({ message: `The answer to tools/call is malformed: ${message}` })
  )
  const whole = content.flatMap(textsOf).join("\n")
  if (isError === true) return failed(wireFailureOfText(whole))
  const fits = request.fits ?? ((value) => pendingId(value) === undefined)
  if (Predicate.isRecord(structuredContent) && fits(structuredContent)) return output(structuredContent)
  const parsed = parse(whole)
  if (parsed !== undefined && fits(parsed)) return output(parsed)
  const approvalId = pendingId(parsed)
  if (
    approvalId !== undefined && (!request.answersWithText || (yield* isKnown(channel, approvalId, yield* remaining)))
  ) {
    return pending(approvalId, text(parsed, "message"))
  }
  if (request.answersWithText) return plainText(whole, request)
  return output(parsed ?? { text: whole })
})

const isKnown = (
  channel: Channel,
  approvalId: string,
  timeoutMillis: number
): Effect.Effect<boolean, ChannelFailure> =>
  channel.request("kruxos/checkApproval", { request_id: approvalId }, timeoutMillis).pipe(
    Effect.map((answer) => text(answer, "status") !== ""),
    Effect.catchTag("RpcFailure", () => Effect.succeed(false))
  )
