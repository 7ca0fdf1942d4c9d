import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { InvokeRequest } from "../../../connection/InvokeRequest.js"
import { ResourceExhausted, type TransactionClosed } from "../../../errors/general.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import { apart, lastAnswer } from "../apart.js"
import type { SendStep } from "../OpenTransaction.js"
import type { Entry } from "./Entry.js"
import { nothingDone, notReversible, notUndone, type Outcome, type Plan, type Undo, undone } from "./Knowledge.js"
import { isHarmless, knownOf } from "./known.js"
import type { Node, Root, Running } from "./Node.js"

const mostSteps = 1000

const mostKept = 64 * 1024 * 1024

const settleWithin = Duration.seconds(10)

// After these it may have taken effect. An answer that cannot be read is one of a step that was carried out.
const doubtful = new Set<KruxosError["_tag"]>([
  "GatewayTimeout",
  "OutcomeUnknown",
  "OutputMismatch",
  "ProtocolError",
  "TransactionClosed"
])

const outcomeOf = (exit: Exit.Exit<unknown, KruxosError>): Outcome<unknown> => {
  if (Exit.isSuccess(exit)) return { _tag: "Done", output: exit.value }
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return error === undefined || doubtful.has(error._tag) ? { _tag: "Unknown" } : { _tag: "Failed" }
}

const pendingApprovalOf = (exit: Exit.Exit<unknown, KruxosError>): string | undefined => {
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
  return error?._tag === "ApprovalRequired" || error?._tag === "ApprovalTimeout" ? error.approvalId : undefined
}

const nothing: Undo = Effect.succeed(nothingDone)

const outputLost: Undo = Effect.succeed(notUndone("its output was lost, which its compensation needs"))

/** The plan of a step that its caller undoes. */
const compensated = (compensate: NonNullable<InvokeRequest["compensate"]>): Plan<unknown> => ({
  size: 0,
  ended: (outcome) => {
    switch (outcome._tag) {
      case "Failed":
        return Effect.succeed(undefined)
      case "Unknown":
        return Effect.succeed(outputLost)
      case "Done":
        return Effect.succeed(Effect.as(Effect.suspend(() => compensate(outcome.output)), undone))
    }
  }
})

type PlanStep = (root: Root) => Effect.Effect<Plan<unknown>, KruxosError>

/** What plans a step; undefined where nobody can undo it. */
const planOf = ({ arguments: input, compensate, name }: InvokeRequest): PlanStep | undefined => {
  if (compensate !== undefined) return () => Effect.succeed(compensated(compensate))
  const known = knownOf(name)
  return known === undefined ? undefined : (root) => known.plan(input, root.context)
}

const exhausted = (capability: string, resource: string, limit: number, current: number) =>
  new ResourceExhausted({
    message: `${capability} was not sent: undoing the transaction would take more than ${limit} ${resource}`,
    capability,
    resource,
    limit,
    current
  })

const withinBounds = (
  { entries, kept }: Root,
  capability: string,
  size: number
): Effect.Effect<void, ResourceExhausted> => {
  if (entries >= mostSteps) return Effect.fail(exhausted(capability, "steps", mostSteps, entries))
  return kept + size > mostKept
    ? Effect.fail(exhausted(capability, "characters of what was before", mostKept, kept))
    : Effect.void
}

/** What a step waits for is told to the transactions that it belongs to; `release` says that it is over. */
const watched = (node: Node, request: InvokeRequest, onWaiting: (isWaiting: boolean) => void = () => {}) => {
  let wasWaiting = false
  const tell = (isWaiting: boolean) => {
    if (isWaiting === wasWaiting) return
    wasWaiting = isWaiting
    node.pause(isWaiting)
    onWaiting(isWaiting)
  }
  return {
    request: {
      ...request,
      onWaiting: (isWaiting: boolean) => {
        tell(isWaiting)
        request.onWaiting?.(isWaiting)
      }
    },
    release: Effect.sync(() => tell(false))
  }
}

/** How a step is undone that nobody knows the end of. */
const inDoubt = (plan: Plan<unknown>): Undo =>
  Effect.flatMap(plan.ended({ _tag: "Unknown" }), (undo) => undo ?? nothing)

// What was refused, or is withdrawn before anybody has decided, has never run. Where a request cannot be withdrawn because the gateway
// lacks the feature, it does not run by itself either.
const undoPending = ({ withdraw }: Root, plan: Plan<unknown>, approvalId: string): Undo =>
  Effect.flatMap(withdraw?.(approvalId) ?? Effect.succeed("failed"), (withdrawal) => {
    if (withdrawal === "withdrawn") return nothing
    return withdrawal === "decided"
      ? inDoubt(plan)
      : Effect.flatMap(plan.ended({ _tag: "Failed" }), (undo) => undo ?? nothing)
  })

const settle = (node: Node, entry: Entry, plan: Plan<unknown>, exit: Exit.Exit<unknown, KruxosError>) =>
  Effect.gen(function*() {
    const approvalId = pendingApprovalOf(exit)
    if (approvalId !== undefined) {
      entry.pendingApproval = approvalId
      entry.undo = undoPending(node.root, plan, approvalId)
      return
    }
    // What has to be looked at is so before the next step has its turn, even if this one is interrupted.
    const undo = yield* apart(Effect.timeoutOption(plan.ended(outcomeOf(exit)), settleWithin))
    if (Option.isNone(undo)) return
    if (undo.value === undefined) node.drop(entry)
    else entry.undo = undo.value
  })

const inTurn = (
  node: Node,
  running: Running,
  cut: Deferred.Deferred<never, TransactionClosed>,
  request: InvokeRequest,
  planStep: PlanStep,
  send: SendStep
) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { root } = node
      const untilCut = <A>(self: Effect.Effect<A, KruxosError>) => Effect.raceFirst(self, Deferred.await(cut))
      const plan = yield* restore(untilCut(planStep(root)))
      if (!node.isOpen()) return yield* node.closed(request.name)
      yield* withinBounds(root, request.name, plan.size)
      const entry: Entry = {
        capability: request.name,
        number: ++root.steps,
        isCompensated: request.compensate !== undefined,
        size: plan.size,
        undo: inDoubt(plan),
        pendingApproval: undefined
      }
      node.entries.push(entry)
      root.entries++
      root.kept += plan.size
      let isAbandoned = false
      const { release, request: asked } = watched(node, request, (isWaiting) => {
        running.isWaiting = isWaiting
        if (isWaiting && (isAbandoned || !node.isOpen())) running.cut()
      })
      const sending = yield* Effect.forkDaemon(Effect.interruptible(Effect.ensuring(untilCut(send(asked)), release)))
      const answered = yield* Effect.exit(restore(Fiber.await(sending)))
      if (Exit.isFailure(answered)) {
        isAbandoned = true
        if (running.isWaiting) running.cut()
      }
      const exit = Exit.isSuccess(answered) ? answered.value : yield* lastAnswer(sending)
      yield* settle(node, entry, plan, exit)
      return yield* Effect.flatten(answered)
    })
  )

const withEffects = (
  node: Node,
  request: InvokeRequest,
  planStep: PlanStep,
  send: SendStep
): Effect.Effect<unknown, KruxosError> =>
  node.root.turns.withPermits(1)(Effect.suspend(() => {
    if (!node.isOpen()) return Effect.fail(node.closed(request.name))
    const cut = Deferred.unsafeMake<never, TransactionClosed>(FiberId.none)
    const running: Running = {
      node,
      ended: Deferred.unsafeMake<void>(FiberId.none),
      cut: () => Deferred.unsafeDone(cut, Effect.fail(node.closed(request.name))),
      isWaiting: false
    }
    node.root.running = running
    return Effect.ensuring(
      inTurn(node, running, cut, request, planStep, send),
      Effect.suspend(() => {
        node.root.running = undefined
        return Deferred.succeed(running.ended, undefined)
      })
    )
  }))

/**
 * Makes an invocation as a step. What changes nothing is just sent. The rest waits for its turn, asks for what undoing it will need, and
 * is sent then; NotReversible before anything is asked where nobody knows how to undo it.
 */
export const step = (node: Node, request: InvokeRequest, send: SendStep): Effect.Effect<unknown, KruxosError> =>
  Effect.suspend(() => {
    if (!node.isOpen()) return Effect.fail(node.closed(request.name))
    if (request.compensate !== undefined || !isHarmless(request)) {
      const planStep = planOf(request)
      return planStep === undefined
        ? Effect.fail(
          notReversible(request.name, "it cannot be undone, and its caller does not say how to compensate it")
        )
        : withEffects(node, request, planStep, send)
    }
    const { release, request: asked } = watched(node, request)
    return Effect.ensuring(send(asked), release)
  })
