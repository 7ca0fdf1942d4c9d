import type { Reference } from "./Documented.js"

/** `process.*`, as documented. */
export const process: Reference = {
  "process.run": {
    tier: "notify",
    version: "1.1",
    tags: "process, execute, sandbox",
    inputs: {
      command: "String",
      args: "Array?",
      working_directory: "FilesystemPath?",
      environment: "Object?",
      timeout: "Integer? = 300",
      background: "Boolean? = false",
      stdin: "String?",
      cpu_limit: "Float?",
      memory_limit: "Integer?",
      stdout_lines: "Integer? = 100"
    },
    outputs: {
      exit_code: "Integer",
      stdout: "String",
      stdout_summary: "String",
      stderr: "String",
      stderr_summary: "String",
      duration_ms: "Integer",
      process_id: "String",
      state: "String",
      resource_usage: "Object"
    },
    errors: {
      CommandNotFound: "check_path, use_full_path",
      ResourceLimitExceeded: "increase_limits, optimize",
      PathOutOfScope: "check_scope",
      SpawnFailed: "check_permissions, retry"
    },
    sideEffects: ["not reversible", "reversible"]
  },
  "process.monitor": {
    tier: "autonomous",
    version: "1.0",
    tags: "process, monitor, status",
    inputs: { process_id: "String" },
    outputs: {
      process_id: "String",
      command: "String",
      state: "String",
      exit_code: "Integer",
      duration_ms: "Integer",
      resource_usage: "Object",
      started_at: "DateTime"
    },
    errors: { ProcessNotFound: "list_processes" }
  },
  "process.kill": {
    tier: "notify",
    version: "1.0",
    tags: "process, kill, terminate",
    inputs: { process_id: "String", signal: "Signal? = \"SIGTERM\"", force_after: "Integer? = 10" },
    outputs: { killed: "Boolean", signal_sent: "String", process_id: "String", state: "String" },
    errors: { ProcessNotFound: "list_processes", ProcessAlreadyExited: "check_status", KillFailed: "force_kill" },
    sideEffects: ["not reversible"]
  },
  "process.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "process, list, status",
    inputs: { state_filter: "String? = \"all\"", limit: "Integer? = 50" },
    outputs: { processes: "Array", total: "Integer" },
    errors: { InvalidFilter: "use_valid_filter" }
  },
  "process.logs": {
    tier: "autonomous",
    version: "1.0",
    tags: "process, logs, output",
    inputs: { process_id: "String", stream: "String? = \"both\"", offset: "Integer?", limit: "Integer?" },
    outputs: {
      stdout: "String",
      stderr: "String",
      stdout_size: "Integer",
      stderr_size: "Integer",
      truncated: "Boolean",
      process_id: "String",
      state: "String"
    },
    errors: { ProcessNotFound: "list_processes", InvalidStream: "use_valid_stream" }
  }
}
