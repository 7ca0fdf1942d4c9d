import * as Schema from "effect/Schema"

/** Which way bytes go through a proxy. */
export const Direction = Schema.Literal("toClient", "toServer")
export type Direction = typeof Direction.Type

const Count = Schema.NonNegativeInt

const Positive = Schema.Int.pipe(Schema.positive())

/**
 * How a connection ends: `reset` lets both sides see a reset, `end` a polite end (a FIN), without a close frame of the WebSocket in either
 * case.
 */
export const Ending = Schema.Literal("reset", "end")
export type Ending = typeof Ending.Type

/** What a proxy says to the client by itself. */
export const FloodKind = Schema.Literal(
  /** Notifications of a method that nobody knows. */
  "notifications",
  /** Answers to ids that nobody has asked with; the id 0, texts that look like ids, and batches among them. */
  "answers",
  /** Requests of methods that a client has not. */
  "requests",
  /** Texts that are no JSON-RPC. */
  "garbage",
  /** Binary frames. */
  "binary",
  /** The frame that has just come, again and again. */
  "repeats",
  /** One frame that no WebSocket may send. */
  "broken"
)
export type FloodKind = typeof FloodKind.Type

/**
 * What is wrong with a connection. Bytes are counted from the first one of that direction, the upgrade of the WebSocket included; times are
 * milliseconds. `Duplicate`, `Reorder` and `Flood` are about the frames to the client, the others about bytes.
 */
export const Fault = Schema.Union(
  Schema.TaggedStruct("Cut", { direction: Direction, afterBytes: Count, how: Ending }),
  /** Forwards so much of a chunk, the first one being 0, and then ends. */
  Schema.TaggedStruct("Truncate", { direction: Direction, chunk: Count, keep: Count }),
  /** Forwards nothing more, in this direction or in both, and keeps the sockets open. */
  Schema.TaggedStruct("Blackhole", { direction: Direction, afterBytes: Count, both: Schema.Boolean }),
  /** Keeps everything for so long, and then sends it on: bytes that come when nobody counts on them any more. */
  Schema.TaggedStruct("Stall", { direction: Direction, afterBytes: Count, milliseconds: Count }),
  /** One side is reset; the other stays open, and hears nothing more. */
  Schema.TaggedStruct("HalfOpen", {
    direction: Direction,
    afterBytes: Count,
    open: Schema.Literal("client", "server")
  }),
  /** Holds back each chunk for so long, and up to `jitter` longer. */
  Schema.TaggedStruct("Delay", { direction: Direction, milliseconds: Count, jitter: Count }),
  /** Sends the first so many pieces with only so many bytes each. */
  Schema.TaggedStruct("Trickle", { direction: Direction, bytes: Positive, pieces: Count }),
  /** Sends every n-th frame twice. */
  Schema.TaggedStruct("Duplicate", { every: Positive }),
  /** Keeps up to so many frames, for at most so long, and sends the last one first. */
  Schema.TaggedStruct("Reorder", { window: Positive, milliseconds: Positive }),
  /** Says this so many times, after so many frames. */
  Schema.TaggedStruct("Flood", { afterFrames: Count, messages: Positive, kind: FloodKind })
)
export type Fault = typeof Fault.Type

/** What becomes of one connection, and of those who try to connect after it has ended. */
export const Step = Schema.Union(
  /** Forwards it, with these faults. When it has ended, nobody listens for `refuseAfter` milliseconds. */
  Schema.TaggedStruct("Serve", { faults: Schema.Array(Fault), refuseAfter: Count }),
  /** Answers the upgrade with this status. */
  Schema.TaggedStruct("Deny", { status: Schema.Literal(401, 503) })
)
export type Step = typeof Step.Type

/** A connection with these faults. */
export const serve = (...faults: ReadonlyArray<Fault>): Step => ({ _tag: "Serve", faults, refuseAfter: 0 })
