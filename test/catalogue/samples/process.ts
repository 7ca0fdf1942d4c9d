import type { Samples } from "./Sample.js"

const resource_usage = { cpu_ms: 410, memory_peak_bytes: 73_400_320, io_read_bytes: 4096, io_write_bytes: 0 }

/** An input and an output of each capability of `process.*`, as they go over the wire. */
export const process = {
  "process.run": {
    input: {
      command: "python3",
      args: ["-c", "print('a; b')"],
      working_directory: "/workspace/site",
      environment: { LANG: "C.UTF-8" },
      timeout: 3600,
      background: false,
      stdin: "yes\n",
      cpu_limit: 0.5,
      memory_limit: 536_870_912,
      stdout_lines: 0
    },
    output: {
      exit_code: 0,
      stdout: "first\nlast\n",
      stdout_summary: "last\n",
      stderr: "",
      stderr_summary: "",
      duration_ms: 512,
      process_id: "proc-1",
      state: "completed",
      resource_usage
    }
  },
  "process.monitor": {
    input: { process_id: "proc-1" },
    output: {
      process_id: "proc-1",
      command: "npm test",
      state: "timed_out",
      exit_code: null,
      duration_ms: 300_000,
      resource_usage,
      started_at: "2025-01-31T08:00:00.000Z"
    }
  },
  "process.kill": {
    input: { process_id: "proc-1", signal: "SIGINT", force_after: 0 },
    output: { killed: true, signal_sent: "SIGINT", process_id: "proc-1", state: "killed" }
  },
  "process.list": {
    input: { state_filter: "timed_out", limit: 1 },
    output: {
      processes: [{
        process_id: "proc-1",
        command: "npm test",
        state: "running",
        exit_code: null,
        started_at: "2025-01-31T08:00:00.000Z",
        duration_ms: 90,
        resource_usage
      }],
      total: 4
    }
  },
  "process.logs": {
    input: { process_id: "proc-1", stream: "stderr", offset: 0, limit: 100 },
    output: {
      stdout: "",
      stderr: "warning: it is late\n",
      stdout_size: 0,
      stderr_size: 2048,
      truncated: true,
      process_id: "proc-1",
      state: "running"
    }
  }
} satisfies Samples
