import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import * as Random from "effect/Random"
import type { BuiltIn } from "../catalogue/builtIn.js"
import type { Output } from "../catalogue/Catalogue.js"
import { RateLimited } from "../errors/general.js"
import type { Invocation } from "../local/capabilities/Handler.js"

/** What goes wrong on the way of an invocation or of its answer. */
export type Fault =
  | { readonly _tag: "DropConnection"; readonly when: When }
  | { readonly _tag: "DropReply" }
  | { readonly _tag: "DuplicateReply" }
  | { readonly _tag: "GatewayRestart"; readonly when: When }

/** `before` the capability runs, or `after` it has run and before its answer is sent. */
export type When = "before" | "after"

/** What an invocation is answered with. */
export type Answer<Input, A, E> =
  | { readonly _tag: "Value"; readonly value: A }
  | { readonly _tag: "Handler"; readonly handler: (input: Input, invocation: Invocation) => Effect.Effect<A, E> }
  | { readonly _tag: "Failure"; readonly error: E }
  /** What the gateway itself says. */
  | { readonly _tag: "PassThrough" }

/** One answer, for one invocation or for several. */
export interface Step<Input, A, E> {
  readonly answer: Answer<Input, A, E>
  readonly delay: Duration.Duration
  readonly faults: ReadonlyArray<Fault>
  /** How many invocations it answers; Infinity for all that come. */
  readonly times: number
}

/**
 * What a scripted capability answers: a value, a failure or what a handler says, late or with faults. A reply answers one invocation
 * where it is expected, and every one where it is a capability's script, unless {@link times} or {@link andThen} say otherwise.
 */
export interface Reply<in Input, out A, out E> extends Pipeable {
  readonly _tag: "kruxos/testing/Reply"
  readonly steps: ReadonlyArray<Step<Input, A, E>>
  /** Whether somebody has said how often. */
  readonly isCounted: boolean
}

const make = <Input, A, E>(
  steps: ReadonlyArray<Step<Input, A, E>>,
  isCounted: boolean
): Reply<Input, A, E> => ({
  _tag: "kruxos/testing/Reply",
  steps,
  isCounted,
  pipe() {
    return pipeArguments(this, arguments)
  }
})

const one = <Input, A, E>(answer: Answer<Input, A, E>): Reply<Input, A, E> =>
  make([{ answer, delay: Duration.zero, faults: [], times: 1 }], false)

const mapSteps = <Input, A, E>(
  reply: Reply<Input, A, E>,
  f: (step: Step<Input, A, E>) => Step<Input, A, E>
): Reply<Input, A, E> => make(reply.steps.map(f), reply.isCounted)

const withFault = (fault: Fault) => <Input, A, E>(reply: Reply<Input, A, E>): Reply<Input, A, E> =>
  mapSteps(reply, (step) => ({ ...step, faults: [...step.faults, fault] }))

/** Answers with an output. One that does not fit the capability's schema is refused by the mock: see MockGateway. */
export const succeed = <const A>(value: A): Reply<unknown, A, never> => one({ _tag: "Value", value })

/** Answers with what an effect comes to, as a handler of a gateway would. It is interrupted when the caller cancels. */
export const handle = <Input, A, E>(
  handler: (input: Input, invocation: Invocation) => Effect.Effect<A, E>
): Reply<Input, A, E> => one({ _tag: "Handler", handler })

/** Answers with a failure: one that the capability lists, or a general one. */
export const failWith = <E>(error: E): Reply<unknown, never, E> => one({ _tag: "Failure", error })

/**
 * Lets the gateway itself answer, for the faults around that: `Reply.passThrough.pipe(Reply.dropReply)`. It is for the capabilities that a
 * mock gateway carries out, and for requests that are no invocations (see `expectRequest`).
 */
export const passThrough: Reply<unknown, never, never> = one({ _tag: "PassThrough" })

/** Refuses because of too many invocations. `retryAfter` is how long the caller is to wait; unless given, a second. */
export const rateLimit = (
  { retryAfter = "1 second" }: { readonly retryAfter?: Duration.DurationInput | undefined } = {}
): Reply<unknown, never, RateLimited> =>
  failWith(
    new RateLimited({
      message: "The script refuses this invocation as one too many",
      retryAfter: Duration.decode(retryAfter)
    })
  )

/** Lets the answer take that long, by the Clock. */
export const delay =
  (duration: Duration.DurationInput) => <Input, A, E>(reply: Reply<Input, A, E>): Reply<Input, A, E> =>
    mapSteps(reply, (step) => ({ ...step, delay: Duration.sum(step.delay, duration) }))

/**
 * Cuts every connection: `before` the capability runs (unless given), or `after`, so that only its answer is lost. What was cut off
 * before it ran is answered when it is asked for again, by the same step and without this fault; an invocation with an idempotency key
 * goes on, and its answer waits for the next connection. What may be repeated is asked for again after it has run, and takes another
 * answer: give it one with {@link times} or {@link andThen}.
 */
export const dropConnection = (when: When = "before") => withFault({ _tag: "DropConnection", when })

/** Loses the answer, and keeps the connection: the capability has run, and its caller waits until its deadline. */
export const dropReply = withFault({ _tag: "DropReply" })

/** Lets the answer arrive twice. */
export const duplicateReply = withFault({ _tag: "DuplicateReply" })

/**
 * Stops the gateway and starts it again on the same data, as if it had been killed: `before` the capability runs (unless given), or
 * `after`, when nothing of its output is recorded yet. The next gateway finds out what became of it where that can be told (files and
 * state): done is answered, not done is left for whoever asks again, who gets the same step without this fault; of all else the
 * outcome is unknown.
 */
export const gatewayRestart = (when: When = "before") => withFault({ _tag: "GatewayRestart", when })

/** Answers that many invocations. */
export const times = (count: number) => <Input, A, E>(reply: Reply<Input, A, E>): Reply<Input, A, E> =>
  make(mapSteps(reply, (step) => ({ ...step, times: count })).steps, true)

/** Answers every invocation that comes. */
export const always = times(Infinity)

/** Answers the first invocation with the one, and those after it with the other. */
export const andThen =
  <Input2, B, E2>(next: Reply<Input2, B, E2>) =>
  <Input, A, E>(reply: Reply<Input, A, E>): Reply<Input & Input2, A | B, E | E2> =>
    make<Input & Input2, A | B, E | E2>([...reply.steps, ...next.steps], true)

type ProcessOutput = Output<BuiltIn, "process.run">

/**
 * Answers `process.run`: with these fields, and for the rest those of a program that ended well, at once and without a word.
 * `Reply.process({ exit_code: 1, stderr: "2 tests failed" })`.
 */
export const process = (output: Partial<ProcessOutput> = {}): Reply<unknown, ProcessOutput, never> =>
  succeed({
    exit_code: 0,
    stdout: "",
    stdout_summary: output.stdout ?? "",
    stderr: "",
    stderr_summary: output.stderr ?? "",
    duration_ms: 0,
    process_id: "process-1",
    state: "completed",
    resource_usage: { cpu_ms: 0, memory_peak_bytes: 0, io_read_bytes: 0, io_write_bytes: 0 },
    ...output
  })

/** Answers `email.send` and other writes of mail: each is held for that long, by the Clock, in which it can be cancelled. */
export const buffered = (
  duration: Duration.DurationInput
): Reply<
  unknown,
  { readonly write_id: string; readonly buffer_until: DateTime.Utc; readonly status: "buffered" },
  never
> =>
  handle(() =>
    Effect.zipWith(DateTime.now, Random.nextIntBetween(0, 2 ** 48), (now, number) => ({
      write_id: `write-${number.toString(16).padStart(12, "0")}`,
      buffer_until: DateTime.addDuration(now, duration),
      status: "buffered"
    }))
  )
