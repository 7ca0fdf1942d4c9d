import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { randomUUID } from "node:crypto"
import { ResourceExhausted } from "../../../errors/general.js"
import * as SessionStates from "../../state/SessionStates.js"
import type { Undo } from "../Undo.js"

/** How many bytes of earlier values are kept for all transactions together. */
export const mostKeptBytes = 256 * 1024 * 1024

interface Step {
  readonly sessionId: string
  readonly changes: ReadonlyArray<SessionStates.Change>
  /** Of the earlier values, once it is known. */
  bytes: number
  /** The keys that were left alone, once it is undone. */
  conflicts: ReadonlyArray<string> | undefined
}

const tokenOf = Schema.decodeUnknownOption(Schema.Struct({ token: Schema.String }))

const bytesOf = (changes: ReadonlyArray<SessionStates.Change>) =>
  changes.reduce((bytes, { before }) => before === undefined ? bytes : bytes + Buffer.byteLength(before.text), 0)

const tooMuch = (current: number, limit: number) =>
  new ResourceExhausted({
    message: `What transactions have overwritten has ${current} bytes, and ${limit} may be kept to be put back`,
    resource: "transaction_session_state",
    limit,
    current,
    retryable: true
  })

/**
 * How `state.session.*` is undone, by the names of the capabilities. Earlier values are kept in memory, as the state is: after a crash
 * there is nothing to undo. When those of a session have as many bytes as its state may have, nothing more is kept: ResourceExhausted.
 */
export const sessionStateUndos = (
  states: SessionStates.SessionStatesService
): ReadonlyArray<readonly [string, Undo]> => {
  const steps = new Map<string, Step>()
  const bytesOfSessions = new Map<string, number>()
  let allBytes = 0

  const stepOf = (before: unknown) =>
    Option.getOrUndefined(Option.flatMapNullable(tokenOf(before), ({ token }) => steps.get(token)))

  const countBytes = (step: Step, bytes: number) => {
    const own = (bytesOfSessions.get(step.sessionId) ?? 0) + bytes - step.bytes
    allBytes += bytes - step.bytes
    step.bytes = bytes
    if (own > 0) bytesOfSessions.set(step.sessionId, own)
    else bytesOfSessions.delete(step.sessionId)
  }

  const settle = (before: unknown) =>
    Effect.sync(() => {
      const step = stepOf(before)
      if (step !== undefined) countBytes(step, bytesOf(step.changes))
      return step !== undefined && step.changes.length > 0
    })

  const undo: Undo = {
    before: (_input, { source: sessionId }) =>
      Effect.flatMap(SessionStates.noted, (changes) => {
        if (changes === undefined) return Effect.dieMessage("what a step changes is noted only by `alone`")
        const own = bytesOfSessions.get(sessionId) ?? 0
        if (own >= states.quotaBytes) return tooMuch(own, states.quotaBytes)
        if (allBytes >= mostKeptBytes) return tooMuch(allBytes, mostKeptBytes)
        const token = randomUUID()
        steps.set(token, { sessionId, changes, bytes: 0, conflicts: undefined })
        return Effect.succeed({ token })
      }),
    after: (_input, before) => Effect.as(settle(before), null),
    found: (_input, before) =>
      Effect.map(settle(before), (isDone) => isDone ? { _tag: "Done", after: null } : { _tag: "NotDone" }),
    undo: (_input, before) =>
      Effect.gen(function*() {
        const step = stepOf(before)
        if (step === undefined) return { _tag: "Undone" }
        step.conflicts ??= yield* states.takeBack(step.sessionId, step.changes)
        const [resource, ...others] = step.conflicts
        if (resource === undefined) return { _tag: "Undone" }
        return others.length === 0
          ? { _tag: "Conflict", resource }
          : { _tag: "Conflict", resource, others: others.map((key) => ({ resource: key })) }
      }),
    release: (before) =>
      Effect.sync(() => {
        const token = Option.getOrUndefined(tokenOf(before))?.token
        const step = token === undefined ? undefined : steps.get(token)
        if (token === undefined || step === undefined) return
        countBytes(step, 0)
        steps.delete(token)
      }),
    // What a step changes is noted in the same instant, so that nothing has to wait for it.
    alone: (_input, _context, effect) => Effect.suspend(() => SessionStates.note([], effect))
  }
  return ["state.session.clear", "state.session.delete", "state.session.set"].map((name) => [name, undo])
}
