import { builtIn } from "../../src/catalogue/builtIn.js"
import { KruxosError } from "../../src/errors/KruxosError.js"
import { treeOf } from "./Tree.js"

const request = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: "2.0", id, method, params })

const invocations: ReadonlyArray<readonly [capability: string, given: object]> = [
  ["agent.whoami", {}],
  ["agent.capabilities", { category: "filesystem" }],
  ["agent.session", {}],
  ["agent.policy", {}],
  ["comms.receive", { limit: 10, channel: "general", acknowledge: true }],
  ["system.info", {}],
  ["system.health", {}],
  ["system.metrics", { period: "1h" }],
  ["system.time", { timezone: "Europe/Berlin" }],
  ["filesystem.read", { path: "/workspace/a.txt", encoding: "utf-8", offset: 0, limit: 10 }],
  ["filesystem.write", { path: "/workspace/a.txt", content: "hello\n", encoding: "utf-8", create_parents: true }],
  ["filesystem.write", { path: "deep/er/b.txt", content: "b", create_parents: true }],
  ["filesystem.append", { path: "/workspace/log.txt", content: "line\n" }],
  ["filesystem.edit", {
    path: "/workspace",
    pattern: "h(e)llo",
    replace: "$1",
    regex: true,
    include_glob: "*.txt",
    expected_replacements: 1,
    replace_all: true,
    dry_run: true,
    include_all: false
  }],
  ["filesystem.list", { path: "/workspace", include_hidden: true, sort_by: "-modified" }],
  ["filesystem.delete", { path: "/workspace/a.txt" }],
  ["filesystem.restore", { trash_path: "/workspace/.trash/a.txt", overwrite: true }],
  ["filesystem.stat", { path: "/workspace/a.txt" }],
  ["filesystem.search", {
    path: "/workspace",
    pattern: "**/*.txt",
    max_results: 5,
    include_hidden: true,
    include_hash: true,
    max_hash_bytes: 1000,
    aggregate: {
      group_by: "extension",
      metrics: ["count", "total_size"],
      sort_by: "-count",
      max_groups: 3,
      dedupe: true
    }
  }],
  ["filesystem.search_content", {
    path: "/workspace",
    pattern: "l+o",
    regex: true,
    include_glob: "**/*.{txt,md}",
    max_results: 5,
    context_lines: 1,
    files_only: false,
    count_by: "file",
    total_only: false
  }],
  ["filesystem.copy", { source: "/workspace/a.txt", destination: "/workspace/c.txt", overwrite: true }],
  ["filesystem.move", { source: "/workspace/c.txt", destination: "/workspace/d.txt", overwrite: true }],
  ["filesystem.watch", { path: "/workspace", recursive: true, event_types: ["create", "modify"], pattern: "*.txt" }]
]

/** Requests and notifications that a gateway understands. */
export const requests = [
  request("ping"),
  request("ping", {}, "text"),
  request("initialize", {
    protocolVersion: "2025-06-18",
    clientInfo: { name: "fuzz", version: "1" },
    capabilities: {}
  }),
  { jsonrpc: "2.0", method: "notifications/initialized" },
  { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1, reason: "no reason" } },
  request("capabilities.list", { category: "filesystem", tag: "safe", name_contains: "read" }),
  request("capabilities.describe", { name: "filesystem.read" }),
  request("capabilities.outcome", { idempotency_key: "a key" }),
  request("tools/list", {}),
  request("tools/call", { name: "filesystem__read", arguments: { path: "a.txt" } }),
  request("tools/call", { name: "system__time", arguments: {} }, "t"),
  request("kruxos/checkApproval", { request_id: "apr-1" }),
  request("session.create", {}),
  request("session.end", { session_id: "ses-1" }),
  { jsonrpc: "2.0", id: 7, result: {} },
  { jsonrpc: "2.0", id: 7, error: { code: -32601, message: "none", data: {} } },
  ...invocations.map(([capability, given]) => request("capabilities.invoke", { capability, arguments: given })),
  ...invocations.map(([capability, given], index) =>
    request("capabilities.invoke", { capability, arguments: given, idempotency_key: `key-${index % 4}` }, `k${index}`)
  ),
  ...Object.keys(builtIn).map((capability) => request("capabilities.invoke", { capability, arguments: {} }))
].map((value) => treeOf(value))

const context = {
  capability: "filesystem.read",
  path: "/workspace/a.txt",
  reason: "because",
  rule: "a rule",
  approval_id: "apr-1",
  idempotency_key: "key",
  requested: "filesystem.reed",
  field: "path",
  limit: 10,
  current: 11,
  resource: "disk",
  service: "store",
  window_seconds: 60,
  window: "1h",
  retry_after_seconds: 1,
  exit_code: 1,
  expected: 1,
  actual: 2,
  current_version: 3
}

const recovery = [
  { action: "retry", description: "Again", capability: "filesystem.list", inputs: { path: "/workspace" } },
  "wait"
]

const types = [
  ...KruxosError.members.map(({ _tag }) => _tag),
  "ApprovalPending",
  "NotAuthenticated",
  "auth.rate_limited",
  "auth.invalid_credentials",
  "resource.exhausted",
  "proxy.service_error",
  "ConflictError",
  "Timeout",
  "InvalidUrl",
  "VaultError",
  "SomethingElse"
]

/** Error objects of all shapes and types. */
export const errors = types.flatMap((type) => [
  { type, message: "It failed", recovery, context },
  { error: type, message: "It failed", recovery: ["wait"], retryable: true, retry_after: 2, context },
  {
    error_type: type,
    description: "It failed",
    agent_description: "It failed for you",
    recovery_actions: recovery,
    retryable: false,
    retry_after: null,
    context
  },
  { error: { code: -32001, message: "It failed", data: { error_type: type, context } } }
]).map(treeOf)

const definition = {
  name: "filesystem.read",
  version: "1.0",
  category: "filesystem",
  description: "Reads a file",
  permission_tier: "autonomous",
  inputs: [{ name: "path", type: "FilesystemPath", required: true, description: "A path" }],
  outputs: [{ name: "content", type: "String", description: "Its text" }],
  errors: [{ code: "FileNotFound", description: "None", recovery: ["search"] }],
  tags: ["safe"],
  side_effects: [{ description: "", reversible: true }]
}

/** What stands for the id of the request in an answer. */
export const idPlaceholder = "\"@id@\""

const answer = (result: unknown) => ({ jsonrpc: "2.0", id: "@id@", result })

const read = { content: "hello", size: 5, size_bytes: 5, modified: "2026-01-01T00:00:00Z", truncated: false }

/** What a gateway answers to `initialize`. */
export const initializeResult = (native: boolean) => ({
  protocolVersion: "2024-11-05",
  serverInfo: { name: "kruxos-gateway", version: "0.0.3" },
  capabilities: {
    tools: { listChanged: true },
    ...(native
      ? {
        experimental: {
          kruxos: {
            session: { session_id: "s", agent: "agent", created_at: "2026-01-01T00:00:00Z", resumed: false },
            native: {},
            cancellation: {},
            idempotency: { record_id: "r" }
          }
        }
      }
      : {})
  }
})

/** Good answers, by what is asked for. */
export const goodAnswers = {
  "capabilities.invoke": { success: true, data: read },
  "capabilities.list": { capabilities: [definition] },
  "capabilities.describe": definition,
  "capabilities.outcome": { status: "done", result: { success: true, data: read } },
  "tools/list": {
    tools: [{
      name: "filesystem__read",
      description: "Reads a file",
      inputSchema: {
        type: "object",
        properties: { path: { type: "string", description: "A path" } },
        required: ["path"]
      }
    }]
  },
  "tools/call": { content: [{ type: "text", text: "hello" }], structuredContent: read }
}

/** Frames that a gateway may send, each an answer to `@id@` where it is one. */
export const answers = [
  ...[...Object.values(goodAnswers), initializeResult(true), initializeResult(false)].map(answer),
  ...["running", "unknown", "not_found"].map((status) => answer({ status })),
  answer({ success: false, error: { type: "FileNotFound", message: "None", recovery, context } }),
  answer({ success: false, error: { type: "ServiceUnavailable", message: "Later", retry_after: 1, context } }),
  answer({ content: [{ type: "text", text: "{\"error\":\"FileNotFound\",\"message\":\"None\"}" }], isError: true }),
  answer({ content: [{ type: "text", text: "{\"status\":\"pending_approval\",\"approval_id\":\"a\"}" }] }),
  { jsonrpc: "2.0", id: "@id@", error: { code: -32001, message: "No", data: { error_type: "PolicyDenied", context } } },
  { jsonrpc: "2.0", id: "@id@", error: { code: -32004, message: "Over", data: { error_type: "SessionExpired" } } },
  { jsonrpc: "2.0", id: "@id@", error: { code: -32603, message: "Failed" } },
  { jsonrpc: "2.0", id: null, error: { code: -32700, message: "No JSON" } },
  { jsonrpc: "2.0", id: 5, method: "ping" },
  { jsonrpc: "2.0", id: 6, method: "sampling/createMessage", params: {} },
  { jsonrpc: "2.0", method: "notifications/tools/list_changed" },
  { jsonrpc: "2.0", method: "notifications/message", params: { level: "info" } }
].map((value) => treeOf(value))
