import type * as entries from "../process.js"
import type { Proses } from "../Prose.js"

type Process = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const processNotFound = "This session has started no process of this id."

const processId = "The id that process.run gave."

const state = "running, completed, killed or timed_out."

const exitCode = "The exit code; null while it runs, or when a signal or the timeout ended it."

const resourceUsage = "Processor time in milliseconds, peak memory in bytes, and bytes read and written."

/** The words of `process.*`. */
export const process: Proses<Process> = {
  "process.run": {
    purpose: "Runs a command in the workspace and gives its output and exit code.",
    whenToUse:
      "Use it for builds, tests, scripts and tools. Without args the command is a line for the shell; with args it is " +
      "one program, no shell reads it, and nothing needs quoting: prefer that for values that you did not write " +
      "yourself. For plain work on files filesystem.* can be undone, this cannot.",
    inputs: {
      command: "A command line for the shell; with args, the name or the path of one program.",
      args: "The arguments of the program, each as it is. Giving them, even none, means that no shell runs.",
      working_directory: "The directory to run in; left out, /workspace.",
      environment: "Variables to set, by name. Some are protected and cannot be changed.",
      timeout: "How many seconds it may run; up to 3600. When they are over it is stopped, which is no error.",
      background: "Answers at once and lets it run on, until it ends or the session does.",
      stdin: "Text for its standard input; ignored in the background.",
      cpu_limit: "How much of one processor core it may use, such as 0.5.",
      memory_limit: "How much memory it may use, in bytes.",
      stdout_lines: "How many lines, the last ones, stdout_summary and stderr_summary hold at most."
    },
    outputs: {
      exit_code: exitCode,
      stdout: "Its standard output; process.logs has what was too long for an answer.",
      stdout_summary: "The last lines of its standard output.",
      stderr: "Its standard error output; process.logs has what was too long for an answer.",
      stderr_summary: "The last lines of its standard error output.",
      duration_ms: "How long it ran, in milliseconds.",
      process_id: "Its id, for process.monitor, process.logs and process.kill.",
      state: "completed; timed_out when the timeout stopped it; killed; running in the background.",
      resource_usage: resourceUsage
    },
    errors: {
      CommandNotFound: "There is no such program.",
      ResourceLimitExceeded: "It took more than it was allowed and was stopped.",
      PathOutOfScope: "The working directory is outside of the workspace.",
      SpawnFailed: "The program could not be started: not executable, or no sandbox to run it in."
    },
    sideEffects: [
      "Whatever the command did stays done.",
      "A process takes up processor and memory until it ends or is killed."
    ],
    commonPatterns: [
      {
        description: "Run tests and read what failed",
        steps: [
          "process.run with the command and a timeout that is long enough",
          "exit_code other than 0: read stderr and stdout; process.logs gives the rest"
        ]
      },
      {
        description: "Run a server while working with it",
        steps: [
          "process.run with background true, and keep process_id",
          "process.logs until it says that it is ready",
          "process.kill when done"
        ]
      }
    ]
  },
  "process.monitor": {
    purpose: "Tells how one process is doing: state, exit code, time and resources.",
    whenToUse: "Use it to wait for a process in the background. Its output is what process.logs gives; for all " +
      "processes at once take process.list.",
    inputs: { process_id: processId },
    outputs: {
      process_id: "The id that was asked for.",
      command: "The command that runs.",
      state,
      exit_code: exitCode,
      duration_ms: "How long it has been running, or ran, in milliseconds.",
      resource_usage: resourceUsage,
      started_at: "When it was started."
    },
    errors: { ProcessNotFound: processNotFound },
    sideEffects: [],
    commonPatterns: [{
      description: "Wait for a long build",
      steps: [
        "process.run with background true",
        "process.monitor from time to time until state is no longer running",
        "process.logs"
      ]
    }]
  },
  "process.kill": {
    purpose: "Stops a process with a signal, and with SIGKILL if it does not heed the signal in time.",
    whenToUse: "Use it for a server that is no longer needed or a command that hangs. Processes in the background " +
      "end with the session anyway.",
    inputs: {
      process_id: processId,
      signal: "The signal to send first; SIGTERM lets the process clean up.",
      force_after: "After how many seconds SIGKILL follows; 0 for never."
    },
    outputs: {
      killed: "Whether the process is gone because of this call.",
      signal_sent: "The last signal that was sent.",
      process_id: "The process.",
      state: "killed, or completed when it ended by itself."
    },
    errors: {
      ProcessNotFound: processNotFound,
      ProcessAlreadyExited: "The process had ended before.",
      KillFailed: "The process still runs."
    },
    sideEffects: ["The process is gone, with what it had not saved."],
    commonPatterns: [{
      description: "Stop what hangs",
      steps: ["process.list with state_filter running", "process.kill with its process_id"]
    }]
  },
  "process.list": {
    purpose: "Lists the processes that this session started, the newest first.",
    whenToUse: "Use it to find a process_id again, or to see what still runs before you finish.",
    inputs: { state_filter: "Only processes in this state.", limit: "How many to give at most." },
    outputs: {
      processes: "Each process: id, command, state, exit code, start, duration and resources.",
      total: "How many there are in this state, also those beyond limit."
    },
    errors: { InvalidFilter: "There is no such state." },
    sideEffects: [],
    commonPatterns: [{
      description: "Clean up at the end",
      steps: ["process.list with state_filter running", "process.kill of each that is not needed"]
    }]
  },
  "process.logs": {
    purpose: "Gives the output of a process, whole or a part, also while it runs.",
    whenToUse: "Use it for the output of what runs in the background, and for lines that process.run left out.",
    inputs: {
      process_id: processId,
      stream: "Which output to give.",
      offset: "The byte to start at; left out, the beginning.",
      limit: "How many bytes to give at most; left out, to the end."
    },
    outputs: {
      stdout: "The standard output, from offset on; empty when only stderr was asked for.",
      stderr: "The standard error output, from offset on; empty when only stdout was asked for.",
      stdout_size: "The size of the whole standard output so far, in bytes.",
      stderr_size: "The size of the whole standard error output so far, in bytes.",
      truncated: "Whether there is more than was given.",
      process_id: "The process.",
      state
    },
    errors: { ProcessNotFound: processNotFound, InvalidStream: "There is no such stream." },
    sideEffects: [],
    commonPatterns: [{
      description: "Follow the output of a process",
      steps: ["process.logs with stream stdout", "Later again, with the offset at the stdout_size of before"]
    }]
  }
}
