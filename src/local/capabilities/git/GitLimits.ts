import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"

/** How long commands of git may take, and how much they may say and write. */
export interface Limits {
  readonly local: Duration.DurationInput
  readonly remote: Duration.DurationInput
  /** How long a command may go on that was told to end. */
  readonly grace: Duration.DurationInput
  readonly outputBytes: number
  /** How large a single file may become, a pack from a remote for instance. */
  readonly fileBytes: number
  /** How much memory for data each process of git may have. */
  readonly memoryBytes: number
}

const defaultLimits: Limits = {
  local: "1 minute",
  remote: "5 minutes",
  grace: "2 seconds",
  outputBytes: 16 * 1024 * 1024,
  fileBytes: 1024 * 1024 * 1024,
  memoryBytes: 2 * 1024 * 1024 * 1024
}

/** The {@link Limits} that hold. */
export class GitLimits extends Context.Reference<GitLimits>()("kruxos/local/GitLimits", {
  defaultValue: () => defaultLimits
}) {}
