import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Approvals, Capabilities, State, Transaction } from "kruxos"
import type { ChangesError, StateError } from "kruxos"
import type { KruxosError } from "kruxos/errors"
import { StateChange } from "kruxos/schema"

/** How many chapters the agent makes, each in a transaction. */
export const chapters = 2

/** How many lines it keeps in its log; each third one in a transaction, with what counts it. */
export const lines = 4

/** What it finds in its workspace. */
export const sources: { readonly [path: string]: string } = {
  "outdated.md": "# What was so before\n",
  ...Object.fromEntries(
    Array.from(
      { length: chapters },
      (_, index) => [`sources/${index + 1}.txt`, `${"words ".repeat(20 * (index + 1))}\n`]
    )
  )
}

/** What the program has been told that did not go as it wanted, and had to see to. */
export type Told = Array<string>

// What passes by itself, or with a new begin of what was rolled back.
const passing = new Set<KruxosError["_tag"]>([
  "ConnectionFailed",
  "GatewayTimeout",
  "OutcomeUnknown",
  "ServiceUnavailable",
  "TransactionClosed",
  "TransactionTimeout",
  "VersionConflict"
])

/** How long a transaction may take; one of which nothing could be learned is over then. */
const timeout = "10 seconds"

/** Begins anew what was not done; what is run by it has to be repeatable. */
const anew = (told: Told) => <A, E extends KruxosError, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(
    Effect.tapError(({ _tag, context }) => {
      const isTransaction = _tag === "OutcomeUnknown" && "transaction_id" in context
      told.push(isTransaction ? `${_tag} of a transaction` : _tag)
      return isTransaction ? Effect.sleep(timeout) : Effect.void
    }),
    Effect.retry({ while: ({ _tag }) => passing.has(_tag), schedule: Schedule.spaced("20 millis"), times: 200 })
  )

const Count = Schema.Number

const increment = (by: number) => (value: number) => value + by

/** Appends a line that stands for itself, once. */
const keepLine = (told: Told, path: string, line: string): Effect.Effect<void, KruxosError, Approvals | Capabilities> =>
  Effect.gen(function*() {
    const { wait } = yield* Approvals
    const { invoke, outcome } = yield* Capabilities

    const becomeOf = (key: string) =>
      outcome(key, "filesystem.append").pipe(
        anew(told),
        Effect.delay("10 millis"),
        Effect.repeat({ until: ({ _tag }) => _tag !== "Running" })
      )

    const isKept = invoke("filesystem.read", { path }).pipe(
      Effect.map(({ content }) => content.split("\n").includes(line)),
      Effect.catchTag("FileNotFound", () => Effect.succeed(false)),
      anew(told)
    )

    const settle = (key: string) =>
      Effect.flatMap(becomeOf(key), (found): Effect.Effect<unknown, KruxosError> => {
        told.push(`append ${found._tag}`)
        switch (found._tag) {
          case "Done":
            return Effect.catchTag(found.result, "ApprovalRequired", (handle) => wait(handle))
          case "NotFound":
            return append
          default:
            return Effect.flatMap(isKept, (yes) => yes ? Effect.void : append)
        }
      })

    const append: Effect.Effect<unknown, KruxosError> = Effect.suspend(() =>
      invoke("filesystem.append", { path, content: `${line}\n` })
    ).pipe(
      Effect.catchTag(
        "OutcomeUnknown",
        (error) => error.idempotencyKey === undefined ? Effect.fail(error) : settle(error.idempotencyKey)
      )
    )
    // What nobody knows is not done again before it was looked for.
    const once: Effect.Effect<unknown, KruxosError> = Effect.catchTag(
      append,
      "OutcomeUnknown",
      () => Effect.flatMap(isKept, (yes) => yes ? Effect.void : once)
    )
    yield* anew(told)(once)
  })

/** Follows what becomes of the shared state below a prefix, as long as the scope is open. */
const follow = (prefix: string) =>
  Effect.gen(function*() {
    const { shared } = yield* State
    const seen = new Map<string, number>()
    const begun = yield* Deferred.make<void, ChangesError>()
    yield* shared.changes(prefix, Count, { current: true }).pipe(
      Stream.runForEach((change) =>
        Effect.zipRight(
          Effect.sync(() => {
            StateChange.$match(change, {
              Changed: ({ key, value }) => Option.isSome(value) ? seen.set(key, value.value) : seen.delete(key),
              Resynced: ({ entries }) => {
                seen.clear()
                entries.forEach(({ key, value }) => seen.set(key, value))
              }
            })
          }),
          Deferred.succeed(begun, undefined)
        )
      ),
      Effect.onError((cause) => Deferred.failCause(begun, cause)),
      Effect.forkScoped
    )
    yield* Deferred.await(begun)
    return seen
  })

/** Makes a chapter of the book, with all that belongs to it, unless that was done before. */
const chapter = (book: string, number: number) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { persistent, session, shared } = yield* State
    const done = yield* persistent.get("chapters.done", Count)
    if (Option.exists(done, ({ value }) => value >= number)) return
    const { content } = yield* invoke("filesystem.read", { path: `/workspace/sources/${number}.txt` })
    yield* invoke("filesystem.write", {
      path: `/workspace/chapters/${number}.md`,
      content: `# Chapter ${number}\n\n${content}`,
      create_parents: true
    })
    yield* invoke("filesystem.append", { path: "/workspace/contents.md", content: `- Chapter ${number}\n` })
    yield* shared.update(`${book}.words`, Count, increment(20 * number), { initial: 0 })
    yield* Transaction.run(Effect.gen(function*() {
      yield* invoke("filesystem.edit", {
        path: "/workspace/contents.md",
        pattern: `- Chapter ${number}\n`,
        replace: `- Chapter ${number}, with a picture\n`,
        expected_replacements: 1
      })
      yield* invoke("filesystem.copy", {
        source: `/workspace/pictures/${number}.svg`,
        destination: `/workspace/chapters/${number}.svg`
      })
    })).pipe(
      // There is none, so that the contents stay as they were.
      Effect.catchTag("FileNotFound", () => Effect.void)
    )
    yield* invoke("filesystem.move", {
      source: `/workspace/sources/${number}.txt`,
      destination: `/workspace/used-${number}.txt`
    })
    // A human decides.
    if (number === 2) yield* invoke("filesystem.delete", { path: "/workspace/outdated.md" })
    yield* shared.update(`${book}.work`, Count, increment(1), { initial: 0 })
    yield* session.set("chapter", Count, number)
    yield* persistent.set("chapters.done", Count, number)
  }).pipe(
    Approvals.awaitApproval({ timeout: "5 minutes" }),
    (self) => Transaction.run(self, { timeout })
  )

type SessionFailure = StateError<"state.session.get"> | StateError<"state.session.set">

/** What the session should know, and does no longer where it is a new one. */
const remember = (told: Told, key: string, number: number): Effect.Effect<void, SessionFailure, State> =>
  Effect.gen(function*() {
    const { session } = yield* State
    const known = yield* session.get(key, Count)
    if (Option.exists(known, ({ value }) => value === number)) return
    told.push("forgotten")
    yield* session.set(key, Count, number)
  })

const makeChapters = (told: Told, book: string) =>
  Effect.gen(function*() {
    for (let number = 1; number <= chapters; number++) {
      yield* anew(told)(chapter(book, number))
      yield* anew(told)(remember(told, "chapter", number))
    }
  })

/** A line of the log with the count of what was done; together, or not at all. */
const countedLine = (book: string, number: number) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { persistent, shared } = yield* State
    const done = yield* persistent.get("log.done", Count)
    if (Option.exists(done, ({ value }) => value >= number)) return
    yield* invoke("filesystem.append", { path: "/workspace/log.txt", content: `line ${number}, counted\n` })
    yield* shared.update(`${book}.work`, Count, increment(1), { initial: 0 })
    yield* persistent.set("log.done", Count, number)
  }).pipe((self) => Transaction.run(self, { timeout }))

const keepLog = (told: Told, book: string) =>
  Effect.gen(function*() {
    const { session, shared } = yield* State
    const { invoke } = yield* Capabilities
    for (let number = 1; number <= lines; number++) {
      if (number > 1) yield* anew(told)(remember(told, "line", number - 1))
      if (number % 3 === 0) yield* anew(told)(countedLine(book, number))
      else yield* keepLine(told, "/workspace/log.txt", `line ${number}`)
      const { content } = yield* anew(told)(invoke("filesystem.read", { path: "/workspace/log.txt" }))
      // To be told the same twice does no harm.
      yield* anew(told)(session.set("line", Count, number))
      yield* anew(told)(shared.update(`${book}.lines`, Count, () => content.split("\n").length - 1, { initial: 0 }))
    }
  })

/** What only a human lets happen, and what must happen once. */
const publish = (told: Told) =>
  Approvals.awaitApproval({ timeout: "5 minutes" })(keepLine(told, "/workspace/published/log.txt", "the book"))

/**
 * The program of an agent, as its user would write it: it makes a book, chapter by chapter, keeps a log meanwhile, waits for a human to let
 * it publish, and follows what the shared state says of it. Gives what it has followed, which goes on until the scope closes.
 */
export const program = (told: Told, book: string) =>
  Effect.gen(function*() {
    const seen = yield* follow(`${book}.`)
    const publishing = yield* Effect.fork(publish(told))
    yield* Effect.all([makeChapters(told, book), keepLog(told, book)], { concurrency: 2, discard: true })
    yield* Fiber.join(publishing)
    yield* anew(told)(remember(told, "chapter", chapters))
    yield* anew(told)(remember(told, "line", lines))
    return seen
  })
