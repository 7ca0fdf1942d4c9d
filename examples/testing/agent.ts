import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Approvals, Capabilities, State, Transaction } from "kruxos"

/** The tests of what is to be released fail. */
export class TestsFailed extends Data.TaggedError("TestsFailed")<{ readonly message: string }> {}

/** The number of the last release, which all agents share. */
export const numberKey = "release.number"

const publish = (notes: string, readers: string) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { shared } = yield* State
    const last = Option.getOrElse(yield* shared.get(numberKey, Schema.Number), () => ({ value: 0, version: 0 }))
    const number = last.value + 1
    yield* Effect.gen(function*() {
      yield* invoke("filesystem.write", { path: `/workspace/release-${number}.md`, content: notes })
      yield* invoke("filesystem.write", { path: "/workspace/NEXT.md", content: "" })
      yield* shared.set(numberKey, number, { expectedVersion: last.version })
      yield* invoke("email.send", { to: readers, subject: `Release ${number}`, body: notes })
    }).pipe(Approvals.awaitApproval({ timeout: "2 hours" }), Transaction.run)
    return number
  })

/**
 * Releases what NEXT.md says, and gives the number of the release: tests it, and then files the notes, takes the next number and mails the
 * notes, all of it or nothing. When another agent takes the number meanwhile, it begins again with the one after it.
 */
export const release = (readers: string) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { content: notes } = yield* invoke("filesystem.read", { path: "/workspace/NEXT.md" })
    const tests = yield* invoke("process.run", { command: "npm test" })
    if (tests.exit_code !== 0) return yield* new TestsFailed({ message: tests.stderr_summary })
    return yield* Effect.retry(publish(notes, readers), { while: Predicate.isTagged("VersionConflict"), times: 2 })
  })
