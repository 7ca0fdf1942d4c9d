import type { InvokeRequest } from "./InvokeRequest.js"
import type { Channel } from "./Link.js"
import type { Traffic } from "./Traffic.js"

/** What goes along with an invocation in the `_meta` of its params, as W3C's Trace Context has it. */
export interface TraceMeta {
  readonly traceparent: string
  readonly tracestate?: string | undefined
}

/** What traces an invocation: told over which session it goes, and how large it is and its answer. */
export interface CallTrace extends Traffic {
  /** Gives what goes along. */
  readonly over: (request: InvokeRequest, channel: Channel) => TraceMeta | undefined
}
