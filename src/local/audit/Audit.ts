import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Mutable } from "effect/Types"
import type { AnyCapability } from "../../catalogue/Capability.js"
import { isReplayable } from "../../catalogue/replayable.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import { scopedContext } from "../inOrder.js"
import type { Session } from "../sessions/Session.js"
import { Alerts } from "../store/Alerts.js"
import type { ApprovalRecord } from "../store/Approvals.js"
import { AuditLog } from "../store/AuditLog.js"
import type { GatewayInstance } from "../store/GatewayInstance.js"
import { Supervision } from "../supervision/Supervision.js"
import type { InvocationTrace } from "../tracing/InvocationTrace.js"
import { aboutAlert } from "./alerts.js"
import { keepHead, knownHead } from "./anchoring.js"
import { AuditBuffer } from "./AuditBuffer.js"
import type { Fact } from "./chain.js"
import { type About, aboutApproval, decided, type Details, fact, joined, type Kind } from "./facts.js"
import { outcomeOf, recordedMessage, whyRefused } from "./outcome.js"
import { recordedArguments, recordedText } from "./recorded.js"
import * as Transactions from "./transactionFacts.js"
import * as Writer from "./writer.js"

type Work = Effect.Effect<unknown, KruxosError>

/** An invocation that has come in. */
export interface Attempt {
  readonly idempotencyKey: string | undefined
  readonly trace: InvocationTrace | undefined
  /** Lets a record of keys run the invocation, or answer in its place. */
  readonly once: (
    own: Work,
    recorded: (own: Work) => Work
  ) => Work
  /** Tells what the policy says. */
  readonly decided: (
    decision: { readonly tier: PermissionTier; readonly rule: string; readonly reason: string | undefined }
  ) => void
  /**
   * Runs the handler, with an entry before and after. Where the capability is not safe to repeat, the first is in the log before
   * the handler begins: fails with ServiceUnavailable where it cannot be written.
   */
  readonly run: (
    capability: AnyCapability,
    handler: () => Work
  ) => Work
  /** Goes around all that is done about the invocation, and says so where nothing was run. */
  readonly watch: (whole: Work) => Work
}

/** Who invokes what. */
export interface Invoked {
  readonly session: Session
  readonly capability: string
  readonly input: unknown
  readonly idempotencyKey: string | undefined
  /** The transaction that it is a step of. */
  readonly transactionId?: string | undefined
  readonly trace?: InvocationTrace | undefined
  /** Told how it ended. */
  readonly onEnd?: ((exit: Exit.Exit<unknown, KruxosError>) => void) | undefined
}

/** An invocation that ran when its gateway was killed, and what the next one has found out about it. */
export interface Resolved {
  readonly agent: string
  readonly capability: string
  readonly idempotencyKey: string
  /**
   * `done`, or `finished` by this gateway; `not_done`; `asked` for an approval, and not run before it; or `unknown`, for the reason
   * given.
   */
  readonly outcome: "done" | "finished" | "not_done" | "asked" | "unknown"
  readonly reason?: string | undefined
}

/** An agent wanted to use a secret, and may or may not. */
export interface SecretUse {
  readonly agent: string
  readonly sessionId: string
  readonly secret: string
  /** What for. */
  readonly capability: string
  readonly host?: string | undefined
  /** Why not; undefined where it may. */
  readonly reason: "not_found" | "out_of_scope" | "host_not_allowed" | "locked" | "failed" | undefined
}

type OnEnd = (exit: Exit.Exit<unknown, KruxosError>) => Effect.Effect<void>

export interface AuditService {
  readonly attempt: (invoked: Invoked) => Attempt
  /** A request for approval was approved, rejected or withdrawn by somebody, or has expired. */
  readonly decided: (
    record: ApprovalRecord,
    decision: "approved" | "rejected" | "withdrawn" | "expired",
    by: string,
    reason?: string
  ) => Effect.Effect<void>
  /**
   * Carries out what was approved, with an entry before, which is in the log before anything begins, and one when `onEnd` is told.
   * Where the first cannot be written, `onEnd` is told so, and nothing runs.
   */
  readonly carryOut: (record: ApprovalRecord, onEnd: OnEnd, run: (onEnd: OnEnd) => Work) => Work
  /** A transaction, or a savepoint, has begun or ended. The entries of its steps name it. */
  readonly transaction: {
    readonly began: (transaction: Transactions.TransactionBegun) => Effect.Effect<void>
    readonly ended: (transaction: Transactions.TransactionEnded) => Effect.Effect<void>
  }
  /** It is known what has become of an invocation that ran when its gateway was killed. */
  readonly resolved: (invocation: Resolved) => Effect.Effect<void>
  /** Something that was scheduled runs late, once for all the times that were missed; or is not run; or has failed. */
  readonly scheduled: (
    change: "schedule_late" | "schedule_skipped" | "schedule_failed",
    about: Pick<About, "agent" | "capability" | "idempotencyKey">,
    details: Details
  ) => Effect.Effect<void>
  /** A supervisor has paused an agent, or let it go on, or removed a key of its state. */
  readonly supervised: (
    change: "agent_paused" | "agent_resumed" | "state_removed",
    agent: string,
    supervisor: string,
    key?: string
  ) => Effect.Effect<void>
  /** A secret was used, or its use refused. */
  readonly secretUsed: (use: SecretUse) => Effect.Effect<void>
}

/** Puts every invocation and every decision into the audit log, and tells supervisors of it when it happens. */
export class Audit extends Context.Tag("kruxos/local/Audit")<Audit, AuditService>() {}

const make = (dataDirectory: string | undefined) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const log = yield* AuditLog
    const supervision = yield* Supervision
    const known = yield* knownHead(dataDirectory)
    let end = () => known
    // Before the writer, because finalizers run backwards: the last thing to keep is what it writes last.
    yield* keepHead(dataDirectory, () => end())
    const writer = yield* Writer.make(log, known)
    end = writer.head
    const roots = Transactions.makeRoots()
    let invocations = 0

    // Supervisors are told when it happens, which may be long before it is written.
    const noteFact = (happened: Fact) => {
      supervision.tell(happened)
      return writer.note(happened)
    }

    const note = (kind: Kind, about: About, details: Details, recorded?: string) =>
      noteFact(fact(clock.unsafeCurrentTimeMillis(), kind, about, details, recorded))

    yield* (yield* Alerts).listen((change) => {
      const { about, details, kind } = aboutAlert(change)
      note(kind, about, details)
    })

    const attempt: AuditService["attempt"] = (
      { capability: name, idempotencyKey, input, onEnd, session, trace, transactionId }
    ) => {
      const invocation = ++invocations
      const about: Mutable<About> = {
        agent: session.agent.name,
        sessionId: session.id,
        capability: recordedText(name.slice(0, 200)),
        tier: undefined,
        rule: undefined,
        idempotencyKey,
        transaction: roots.about(transactionId)
      }
      const arrivedAt = clock.unsafeCurrentTimeMillis()
      let reason: string | undefined
      let isRun = false
      let isAnswered = false

      const run: Attempt["run"] = (capability, handler) =>
        Effect.suspend(() => {
          const at = clock.unsafeCurrentTimeMillis()
          const recorded = recordedArguments(input)
          const started = fact(
            at,
            "invocation_started",
            about,
            { invocation, queued_ms: at > arrivedAt ? at - arrivedAt : undefined },
            recorded
          )
          const end = (exit: Exit.Exit<unknown, KruxosError>) => {
            const now = clock.unsafeCurrentTimeMillis()
            return fact(now, "invocation_ended", about, { invocation, ...outcomeOf(exit), duration_ms: now - at })
          }
          isRun = true
          if (isReplayable(capability)) {
            const noted = noteFact(started)
            return Effect.onExit(Effect.suspend(handler), (exit) =>
              Effect.sync(() => {
                const ended = end(exit)
                supervision.tell(ended)
                if (noted.isTaken) writer.note(ended)
                else noted.fact = joined(started, ended, recorded)
              }))
          }
          return Effect.zipRight(
            Effect.tapError(writer.write(started), () =>
              Effect.sync(() => {
                isRun = false
              })),
            Effect.suspend(() => {
              supervision.tell(started)
              return handler()
            })
          ).pipe(
            Effect.onExit((exit) =>
              Effect.sync(() => {
                if (isRun) noteFact(end(exit))
              })
            )
          )
        })

      const notRun = (exit: Exit.Exit<unknown, KruxosError>) => {
        const outcome = { invocation, ...outcomeOf(exit) }
        const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        if (failure?._tag === "ApprovalRequired") {
          note(
            "approval_requested",
            { ...about, approvalId: failure.approvalId },
            { invocation, reason: recordedMessage(reason) },
            recordedArguments(input)
          )
        } else if (Exit.isSuccess(exit) || isAnswered) {
          note("invocation_answered", about, outcome)
        } else {
          note("refused", about, { ...outcome, ...whyRefused(failure) }, recordedArguments(input))
        }
      }

      return {
        idempotencyKey,
        trace,
        once: (own, recorded) =>
          Effect.suspend(() => {
            isAnswered = true
            return recorded(Effect.suspend(() => {
              isAnswered = false
              return own
            }))
          }),
        decided: (decision) => {
          about.tier = decision.tier
          about.rule = decision.rule
          reason = decision.reason
        },
        run,
        watch: (whole) =>
          Effect.onExit(whole, (exit) =>
            Effect.sync(() => {
              // What goes on without the one who asked for it speaks for itself.
              const goesOn = idempotencyKey !== undefined && Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)
              if (!isRun && !goesOn) notRun(exit)
              onEnd?.(exit)
            }))
      }
    }

    const aboutRequest = (record: ApprovalRecord): About => ({
      ...aboutApproval(record),
      transaction: roots.about(Option.getOrUndefined(record.transactionId))
    })

    const carryOut: AuditService["carryOut"] = (record, onEnd, run) =>
      Effect.suspend(() => {
        const at = clock.unsafeCurrentTimeMillis()
        const invocation = ++invocations
        const about = aboutRequest(record)
        const again = Option.isSome(record.beganAt) ? { again: true } : {}
        const started = fact(
          at,
          "invocation_started",
          about,
          { invocation, queued_ms: Math.max(0, at - DateTime.toEpochMillis(record.requestedAt)), ...again },
          recordedArguments(record.arguments)
        )
        return Effect.matchEffect(writer.write(started), {
          onFailure: (error): Work => onEnd(Exit.fail(error)),
          onSuccess: () => {
            supervision.tell(started)
            return run((exit) => {
              const duration_ms = clock.unsafeCurrentTimeMillis() - at
              note("approval_carried_out", about, { invocation, ...outcomeOf(exit), duration_ms })
              return onEnd(exit)
            })
          }
        })
      })

    const service: AuditService = {
      attempt,
      decided: (record, decision, by, reason) =>
        Effect.map(
          Clock.currentTimeMillis,
          (at) => void noteFact(decided(at, aboutRequest(record), decision, by, reason))
        ),
      carryOut,
      transaction: {
        began: (begun) =>
          Effect.sync(() => {
            roots.add(begun)
            noteFact(Transactions.began(clock.unsafeCurrentTimeMillis(), begun))
          }),
        ended: (ended) => Effect.sync(() => void noteFact(Transactions.ended(clock.unsafeCurrentTimeMillis(), ended)))
      },
      resolved: ({ outcome, reason, ...about }) =>
        Effect.sync(() => void note("invocation_resolved", about, { outcome, reason: recordedMessage(reason) })),
      scheduled: (change, about, details) => Effect.sync(() => void note(change, about, details)),
      supervised: (change, agent, supervisor, key) =>
        Effect.sync(() =>
          void note(change, { agent }, {
            by: supervisor,
            key: key === undefined ? undefined : recordedText(key)
          })
        ),
      secretUsed: ({ agent, capability, host, reason, secret, sessionId }) =>
        Effect.sync(() =>
          void note("secrets.use", { agent, sessionId, capability: recordedText(capability.slice(0, 200)) }, {
            secret: recordedText(secret.slice(0, 128)),
            host,
            outcome: reason === undefined ? "used" : "denied",
            reason
          })
        )
    }
    return Context.make(Audit, service).pipe(Context.add(AuditBuffer, { waiting: writer.waiting }))
  })

/** Writes the log of the store; with a data directory, keeps where it ends in a file there. */
export const layer = (
  dataDirectory: string | undefined
): Layer.Layer<Audit | AuditBuffer, never, Alerts | AuditLog | GatewayInstance | Supervision> =>
  scopedContext(make(dataDirectory))
