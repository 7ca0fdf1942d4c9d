import type { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { recoveryFor } from "../../catalogue/recovery.js"
import { encodeFailure } from "../../errors/encode.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import { Audit } from "../audit/Audit.js"
import { Registrations } from "../capabilities/Registrations.js"
import { type ApprovalRecord, ApprovalRequests } from "../store/Approvals.js"
import { KeyedInvocations } from "../store/KeyedInvocations.js"
import type { ApprovalTraces } from "../tracing/approvals.js"
import { maskSecrets } from "./maskSecrets.js"
import { expired, lostTrack, rejected, transactionOver } from "./outcome.js"
import type * as Steps from "./steps.js"

/** Makes what is done when requests end; `tell` lets those know who wait. */
export const make = (
  steps: Effect.Effect.Success<typeof Steps.make>,
  traces: ApprovalTraces,
  tell: (record: ApprovalRecord) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    const audit = yield* Audit
    const keyed = yield* KeyedInvocations
    const records = yield* ApprovalRequests
    const registrations = yield* Registrations

    const explain = (name: string, error: KruxosError) =>
      encodeFailure(error, recoveryFor(registrations.get(name)?.capability, error))

    // The key of an invocation answers with what came of its request.
    const settleKey = ({ agent, idempotencyKey }: ApprovalRecord, result: unknown) =>
      Option.match(idempotencyKey, {
        onNone: () => Effect.void,
        onSome: (key) => keyed.settle({ agent, idempotencyKey: key }, "done", result)
      })

    const notNoted = ({ approvalId }: ApprovalRecord) => (cause: SqlError) =>
      Effect.logError(`What came of ${approvalId} was not recorded`, cause)

    const settle = (record: ApprovalRecord, error: KruxosError) =>
      Effect.gen(function*() {
        yield* records.forgetArguments(record.approvalId, maskSecrets(record.arguments))
        yield* settleKey(record, { success: false, error: explain(record.capability, error) })
      }).pipe(Effect.catchAll(notNoted(record)), Effect.zipRight(steps.forget(record)))

    // An agent that is told of it cannot commit any more.
    const refuse = (record: ApprovalRecord, error: KruxosError) =>
      Effect.zipRight(Effect.zipRight(settle(record, error), steps.refused(record)), tell(record))

    const finish = (record: ApprovalRecord, exit: Exit.Exit<unknown, KruxosError>): Effect.Effect<void> => {
      if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) {
        // The next gateway goes on with what this one is stopped in. A transaction does not outlive its gateway.
        return Option.match(record.transactionId, {
          onNone: () => Effect.void,
          onSome: (id) => finish(record, Exit.fail(transactionOver(record, id)))
        })
      }
      const result = Exit.match(exit, {
        onSuccess: (data) => ({ success: true, data }),
        onFailure: (cause) => ({
          success: false,
          error: explain(record.capability, Option.getOrElse(Cause.failureOption(cause), () => lostTrack(record)))
        })
      })
      return Effect.gen(function*() {
        yield* records.finish(record.approvalId, result, maskSecrets(record.arguments))
        yield* settleKey(record, result)
      }).pipe(
        Effect.catchAll(notNoted(record)),
        Effect.zipRight(steps.forget(record)),
        Effect.zipRight(tell({ ...record, status: "approved" })),
        Effect.zipRight(
          Exit.isFailure(exit) && Cause.isDie(exit.cause)
            ? Effect.logError(`${record.capability} failed`, exit.cause)
            : Effect.void
        )
      )
    }

    const decided: Audit["Type"]["decided"] = (record, decision, by, reason) =>
      Effect.zipRight(audit.decided(record, decision, by, reason), traces.decided(record, decision, by))

    return {
      /** What was approved has been carried out, or could not be. */
      finish,
      /** A human has rejected it; its transaction is rolled back. */
      reject: (record: ApprovalRecord, by: string, reason: string) =>
        Effect.zipRight(decided(record, "rejected", by, reason), refuse(record, rejected(record))),
      /** Nobody has decided in time; its transaction is rolled back. */
      expire: (record: ApprovalRecord) =>
        Effect.zipRight(decided(record, "expired", "time"), refuse(record, expired(record))),
      /** Its agent has taken it back, or its transaction has ended. */
      withdraw: (record: ApprovalRecord, by: string) =>
        Effect.zipRight(
          decided(record, "withdrawn", by),
          Effect.zipRight(settle(record, expired(record)), tell(record))
        )
    }
  })
