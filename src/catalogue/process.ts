import * as Schema from "effect/Schema"
import { PathOutOfScope } from "../errors/filesystem.js"
import { InvalidInput } from "../errors/general.js"
import {
  CommandNotFound,
  KillFailed,
  ProcessAlreadyExited,
  ProcessNotFound,
  ResourceLimitExceeded,
  SpawnFailed
} from "../errors/process.js"
import {
  DateTimeUtc,
  FilesystemPath,
  Float,
  Integer,
  NonNegativeInteger,
  openEnumeration,
  WireType
} from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const positive = Integer.pipe(Schema.positive())

const Signal = openEnumeration("SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
  .annotations({ [WireType]: "Signal" })

const State = openEnumeration("completed", "running", "killed", "timed_out")

const ResourceUsage = Schema.Struct({
  cpu_ms: Integer,
  memory_peak_bytes: Integer,
  io_read_bytes: Integer,
  io_write_bytes: Integer
})

const processNotFound = { ProcessNotFound: failure(ProcessNotFound, "list_processes") }

export const run = make("process.run", {
  version: "1.1",
  tier: "notify",
  tags: ["process", "execute", "sandbox"],
  inputs: {
    command: Schema.String,
    args: optional(Schema.Array(Schema.String)),
    working_directory: optional(FilesystemPath),
    environment: optional(Schema.Record({ key: Schema.String, value: Schema.String })),
    timeout: optional(Integer.pipe(Schema.between(1, 3600)), 300),
    background: optional(Schema.Boolean, false),
    stdin: optional(Schema.String),
    cpu_limit: optional(Float.pipe(Schema.positive())),
    memory_limit: optional(positive),
    stdout_lines: optional(NonNegativeInteger, 100)
  },
  outputs: {
    exit_code: Schema.NullOr(Integer),
    stdout: Schema.String,
    stdout_summary: Schema.String,
    stderr: Schema.String,
    stderr_summary: Schema.String,
    duration_ms: Integer,
    process_id: Schema.String,
    state: State,
    resource_usage: ResourceUsage
  },
  spellings: [["stdout", "stdout_summary"], ["stderr", "stderr_summary"]],
  errors: {
    CommandNotFound: failure(CommandNotFound, "check_path", "use_full_path"),
    ResourceLimitExceeded: failure(ResourceLimitExceeded, "increase_limits", "optimize"),
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    SpawnFailed: failure(SpawnFailed, "check_permissions", "retry")
  },
  sideEffects: ["not reversible", "reversible"]
})

export const monitor = make("process.monitor", {
  tier: "autonomous",
  tags: ["process", "monitor", "status"],
  inputs: { process_id: Schema.String },
  outputs: {
    process_id: Schema.String,
    command: Schema.String,
    state: State,
    exit_code: Schema.NullOr(Integer),
    duration_ms: Integer,
    resource_usage: ResourceUsage,
    started_at: DateTimeUtc
  },
  errors: processNotFound
})

export const kill = make("process.kill", {
  tier: "notify",
  tags: ["process", "kill", "terminate"],
  inputs: {
    process_id: Schema.String,
    signal: optional(Signal, "SIGTERM"),
    force_after: optional(NonNegativeInteger, 10)
  },
  outputs: {
    killed: Schema.Boolean,
    signal_sent: Schema.String,
    process_id: Schema.String,
    state: openEnumeration("killed", "completed")
  },
  errors: {
    ...processNotFound,
    ProcessAlreadyExited: failure(ProcessAlreadyExited, "check_status"),
    KillFailed: failure(KillFailed, "force_kill")
  },
  sideEffects: ["not reversible"]
})

export const list = make("process.list", {
  tier: "autonomous",
  tags: ["process", "list", "status"],
  inputs: {
    state_filter: optional(Schema.Literal("running", "completed", "killed", "timed_out", "all"), "all"),
    limit: optional(positive, 50)
  },
  outputs: {
    processes: Schema.Array(Schema.Struct({
      process_id: Schema.String,
      command: Schema.String,
      state: State,
      exit_code: Schema.NullOr(Integer),
      started_at: DateTimeUtc,
      duration_ms: Integer,
      resource_usage: ResourceUsage
    })),
    total: Integer
  },
  errors: { InvalidFilter: failure(InvalidInput, "use_valid_filter") }
})

export const logs = make("process.logs", {
  tier: "autonomous",
  tags: ["process", "logs", "output"],
  inputs: {
    process_id: Schema.String,
    stream: optional(Schema.Literal("stdout", "stderr", "both"), "both"),
    offset: optional(NonNegativeInteger),
    limit: optional(NonNegativeInteger)
  },
  outputs: {
    stdout: Schema.String,
    stderr: Schema.String,
    stdout_size: Integer,
    stderr_size: Integer,
    truncated: Schema.Boolean,
    process_id: Schema.String,
    state: State
  },
  errors: { ...processNotFound, InvalidStream: failure(InvalidInput, "use_valid_stream") }
})
