import type { SqlError } from "@effect/sql/SqlError"
import * as Array from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { isOpen, resultOf } from "../approvals/outcome.js"
import { Audit, type Resolved } from "../audit/Audit.js"
import { EffectChecks } from "../recovery/EffectChecks.js"
import { Workspaces } from "../sessions/Workspaces.js"
import { Agents } from "../store/Agents.js"
import { ApprovalRequests } from "../store/Approvals.js"
import {
  type InvocationKey,
  type Journal,
  KeyedInvocations as Records,
  type Orphan
} from "../store/KeyedInvocations.js"

/** Invocations of gateways that were killed, while it is being found out what they have done. */
export interface CutOff {
  readonly isLookedAt: (key: InvocationKey) => boolean
}

type Outcome = Pick<Resolved, "outcome" | "reason">

// A gateway that has to look at much serves before it is done.
const longestRecovery = "10 seconds"

const atATime = 8

const unknown = (reason: string): Outcome => ({ outcome: "unknown", reason })

const nameOf = ({ agent, idempotencyKey }: InvocationKey) => `${agent}\n${idempotencyKey}`

const counted = (outcomes: ReadonlyArray<Outcome>) =>
  Object.entries(Array.groupBy(outcomes, ({ outcome }) => outcome)).map(([name, of]) => `${of.length} ${name}`)

/**
 * Finds out what the invocations have done that ran when their gateways were killed. What can be told is recorded when this ends: it
 * takes at most ten seconds, after which nothing more is looked at, and what has begun goes on until the scope ends.
 */
export const resolve = Effect.gen(function*() {
  const agents = yield* Agents
  const approvals = yield* ApprovalRequests
  const audit = yield* Audit
  const checks = yield* EffectChecks
  const records = yield* Records
  const workspaces = yield* Workspaces
  const left = new Set<string>()
  let isLate = false

  const abandoned = (orphan: Orphan, reason: string) => Effect.as(records.abandon(orphan), unknown(reason))

  const settled = (orphan: Orphan, outcome: "done" | "finished", data: unknown) =>
    Effect.as(records.settle(orphan, "done", { success: true, data }), { outcome })

  const workspaceOf = (orphan: Orphan) =>
    Effect.option(Effect.flatMap(Effect.flatten(agents.get(orphan.agent)), workspaces.of))

  // In another workspace there is nothing of it, and what has the same name there is nobody's business.
  const lookedAt = (orphan: Orphan, journal: Journal) =>
    Effect.gen(function*() {
      const check = checks.get(orphan.capability)
      const workspace = yield* workspaceOf(orphan)
      if (check === undefined) return yield* abandoned(orphan, "its effect cannot be told")
      if (Option.isNone(workspace) || workspace.value.root !== journal.workspace) {
        return yield* abandoned(orphan, "its workspace is no longer there")
      }
      const context = { agent: orphan.agent, workspace: workspace.value, source: journal.source }
      const conclude = Effect.gen(function*() {
        const found = yield* check.after(journal.arguments, journal.before, context)
        switch (found._tag) {
          case "Done":
            return yield* settled(orphan, "done", found.output)
          case "NotDone":
            return yield* Effect.as(records.forget(orphan), { outcome: "not_done" } as const)
          case "PartlyDone":
            return yield* Effect.matchEffect(found.finish, {
              onFailure: ({ message }) => abandoned(orphan, `it was cut off in the middle: ${message}`),
              onSuccess: (output) => settled(orphan, "finished", output)
            })
          case "Unknown":
            return yield* abandoned(orphan, found.reason)
        }
      })
      return yield* check.alone(journal.arguments, context, conclude)
    }).pipe(Effect.scoped)

  // Its request is the story that is told from now on, by the key, too.
  const waited = (orphan: Orphan) =>
    Effect.gen(function*() {
      const asked = yield* approvals.ofKey(orphan, orphan)
      if (Option.isNone(asked)) return yield* Effect.as(records.forget(orphan), { outcome: "not_done" } as const)
      yield* records.settle(orphan, isOpen(asked.value) ? "pending" : "done", yield* resultOf(asked.value))
      return { outcome: "asked" } as const
    })

  const concluded = (orphan: Orphan): Effect.Effect<Outcome, SqlError> => {
    if (orphan.stage === "waiting") return waited(orphan)
    if (orphan.stage === "unknown") return abandoned(orphan, "an earlier version of the gateway ran it")
    if (isLate) return abandoned(orphan, "there was no time to look")
    return Effect.flatMap(
      records.journal(orphan),
      Option.match({
        onNone: () => abandoned(orphan, "its effect cannot be told"),
        onSome: (journal) => lookedAt(orphan, journal)
      })
    )
  }

  const resolveOne = (orphan: Orphan): Effect.Effect<ReadonlyArray<Outcome>> => {
    const { agent, capability, idempotencyKey } = orphan
    return concluded(orphan).pipe(
      Effect.tap((outcome) => audit.resolved({ agent, capability, idempotencyKey, ...outcome })),
      Effect.map((outcome) => [outcome]),
      // It stays as it is, and the next gateway looks again.
      Effect.catchAllCause((cause) =>
        Effect.as(
          Cause.isInterrupted(cause)
            ? Effect.void
            : Effect.logError(`What ${capability} has done was not recorded (key ${idempotencyKey})`, cause),
          []
        )
      ),
      Effect.ensuring(Effect.sync(() => left.delete(nameOf(orphan))))
    )
  }

  const orphans = yield* records.takeOver
  if (orphans.length > 0) {
    for (const orphan of orphans) left.add(nameOf(orphan))
    const work = Effect.flatMap(
      Effect.forEach(orphans, resolveOne, { concurrency: atATime }),
      (outcomes) =>
        Effect.logInfo(`Of the invocations that a gateway was killed in, ${counted(outcomes.flat()).join(", ")}`)
    )
    yield* Effect.flatMap(Effect.forkScoped(work), Fiber.await).pipe(Effect.timeoutOption(longestRecovery))
    isLate = true
  }
  const cutOff: CutOff = { isLookedAt: (key) => left.has(nameOf(key)) }
  return cutOff
})
