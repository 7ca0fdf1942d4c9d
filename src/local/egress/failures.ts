import * as Data from "effect/Data"
import type { Refusal } from "./Egress.js"

/** The policy keeps the agent from a host, which it asked for or was led to. */
export class HostRefused extends Data.TaggedError("HostRefused")<{
  readonly host: string
  readonly refusal: Refusal
  /** What led there, without its query. */
  readonly url: string | undefined
}> {
  override get message() {
    return `The policy does not let agents reach ${this.host}: ${this.refusal.reason}`
  }
}

/**
 * Why there was no answer: the name has no address, nobody accepts connections there, the host cannot show that it is the one that
 * was meant, it broke off or did not speak HTTP, or it redirected too often or to nowhere.
 */
export type NoAnswerReason =
  | "not_resolved"
  | "not_connected"
  | "not_trusted"
  | "broken_off"
  | "bad_redirect"
  | "timeout"

/** A host gave no answer. `sent`: it may have received the request all the same. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{
  readonly reason: NoAnswerReason
  readonly message: string
  readonly sent: boolean
  readonly cause?: unknown
}> {}
