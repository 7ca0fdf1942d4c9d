import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type * as Scope from "effect/Scope"
import { atClose } from "../../connection/untilClose.js"
import type { ServiceUnavailable } from "../../errors/general.js"
import { ApprovalQueue, type ApprovalQueueService } from "../../local/approvals/ApprovalQueue.js"
import { Supervision, type SupervisionService } from "../../local/supervision/Supervision.js"
import type { ScriptControl } from "../script/ScriptControl.js"
import type { Mismatch } from "../script/ScriptMismatch.js"
import * as Arrivals from "./arrivals.js"
import { type Claim, claim, type Decision, fits, makeDecision, unusedOf, type Verdict } from "./decisions.js"
import type { Humans, Which } from "./Humans.js"
import { NotAsked } from "./NotAsked.js"
import { type PendingApproval, pendingApproval } from "./PendingApproval.js"

/** What the humans see of a gateway's core. */
export type HumansServices = ApprovalQueue | Supervision

/** Scripted humans, and what the gateway does for them. */
export interface HumansBehind {
  readonly humans: Humans
  /**
   * Has them look after a core that has just begun, until the scope ends: once for each, before anybody connects to it. What they were
   * about to decide when the core before it was stopped they decide there.
   */
  readonly attach: Effect.Effect<void, never, HumansServices | Scope.Scope>
  /** The decisions that nothing came for. */
  readonly unused: Effect.Effect<ReadonlyArray<Mismatch>>
}

interface Attached {
  readonly queue: ApprovalQueueService
  readonly supervision: SupervisionService
  readonly arrivals: Arrivals.Arrivals
}

interface Waiter {
  readonly which: Which
  readonly found: Deferred.Deferred<PendingApproval>
}

interface Tagged<Tag> {
  readonly _tag: Tag
}

// As many as an agent may have pending, and some agents.
const mostListed = 10_000

const human = "human"

const byTime = Order.mapInput(DateTime.Order, ({ requestedAt }: PendingApproval) => requestedAt)

const decide = ({ queue }: Attached, { approvalId }: PendingApproval, verdict: Verdict) => {
  switch (verdict._tag) {
    case "Approve":
      return queue.decide(approvalId, { verdict: "approve", by: human })
    case "Reject":
      return queue.decide(approvalId, { verdict: "reject", by: human, reason: verdict.reason })
    case "Expire":
      return queue.expire(approvalId)
  }
}

const listed = ({ arrivals, queue }: Attached): Effect.Effect<ReadonlyArray<PendingApproval>, ServiceUnavailable> =>
  Effect.gen(function*() {
    const { approvals } = yield* queue.list({ status: "pending", limit: mostListed })
    const found = yield* Effect.forEach(approvals, (summary) =>
      Option.match(summary.arguments, {
        onSome: (given) => Effect.succeedSome(pendingApproval(summary, given)),
        // Long ones are not in lists.
        onNone: () =>
          queue.get(summary.approvalId).pipe(
            Effect.map((record) => Option.some(pendingApproval(record, record.arguments))),
            Effect.catchTag("ApprovalNotFound", () => Effect.succeedNone)
          )
      }))
    const inOrder = Order.combine(byTime, Order.mapInput(Order.number, arrivals.rank()))
    return found.flatMap(Option.toArray).sort(inOrder)
  })

/** Makes humans for a gateway that may be stopped and started again. `invocations` are those of the program. */
export const make = Effect.fnUntraced(function*(invocations: ScriptControl["invocations"]) {
  const scope = yield* Effect.scope
  const decisions: Array<Decision> = []
  const claimed = new Set<string>()
  const waiters = new Set<Waiter>()
  const turn = yield* Effect.makeSemaphore(1)
  let attached: Attached | undefined
  // Done when another core is there.
  let next = yield* Deferred.make<void>()

  const current: Effect.Effect<Attached> = Effect.suspend(() =>
    attached === undefined ? Effect.zipRight(Deferred.await(next), current) : Effect.succeed(attached)
  )

  // A core whose store fails is being stopped.
  const withCore = <A, E>(
    use: (core: Attached) => Effect.Effect<A, E | ServiceUnavailable>
  ): Effect.Effect<A, Exclude<E, Tagged<"ServiceUnavailable">>> =>
    Effect.flatMap(current, (core) => {
      const another = next
      return Effect.catchTag(use(core), "ServiceUnavailable", () =>
        Effect.zipRight(
          Deferred.await(another),
          withCore(use)
        ))
    })

  const carryOut = ({ decision, request }: Claim) =>
    Effect.gen(function*() {
      if (!Duration.isFinite(decision.after)) return yield* Effect.never
      const due = DateTime.addDuration(request.requestedAt, decision.after)
      const wait = DateTime.distance(yield* DateTime.now, due)
      if (wait > 0) yield* Effect.sleep(Duration.millis(wait))
      yield* withCore((core) => Effect.uninterruptible(decide(core, request, decision.verdict)))
    }).pipe(
      // It was withdrawn meanwhile, or its time has passed.
      Effect.catchTags({ ApprovalDecided: () => Effect.void, ApprovalNotFound: () => Effect.void })
    )

  const tellWaiters = (requests: ReadonlyArray<PendingApproval>) => {
    for (const waiter of waiters) {
      const request = requests.find((pending) => fits(waiter.which, pending))
      if (request !== undefined && waiters.delete(waiter)) {
        Deferred.unsafeDone(waiter.found, Effect.succeed(request))
      }
    }
  }

  // Gives the fibers of the decisions that are to be carried out at once. They belong to the test, and not to a core.
  const look = (core: Attached) =>
    turn.withPermits(1)(
      Effect.gen(function*() {
        if (waiters.size === 0 && !decisions.some(({ left }) => left > 0)) return []
        const requests = yield* listed(core)
        tellWaiters(requests)
        return yield* Effect.forEach(claim(decisions, claimed, requests), (claimedOne) =>
          // A test may end before a human comes.
          Effect.map(
            Effect.forkIn(Effect.interruptible(carryOut(claimedOne)), scope),
            (fiber) => ({ fiber, ...claimedOne })
          ))
      })
    ).pipe(Effect.uninterruptible)

  const make = (which: Which, verdict: Verdict, options?: Parameters<Humans["approve"]>[1]) =>
    Effect.gen(function*() {
      decisions.push(makeDecision(which, verdict, options))
      const begun = yield* withCore(look)
      const atOnce = begun.filter(({ decision }) => Duration.toMillis(decision.after) === 0)
      yield* Fiber.joinAll(atOnce.map(({ fiber }) => fiber))
    })

  const attach = Effect.gen(function*() {
    const supervision = yield* Supervision
    const core = { queue: yield* ApprovalQueue, supervision, arrivals: yield* Arrivals.make(supervision) }
    yield* atClose(() => {
      if (attached === core) attached = undefined
    })
    attached = core
    const told = next
    next = yield* Deferred.make<void>()
    yield* Deferred.succeed(told, undefined)
    let seen: string | undefined
    const looking = Effect.suspend(() => {
      seen = supervision.newest()
      return look(core)
    }).pipe(
      // The next core is looked after as well.
      Effect.catchAll(() => Effect.void),
      Effect.catchAllDefect((defect) => Effect.logError("A request for approval could not be decided", defect))
    )
    yield* Effect.forkScoped(
      Effect.forever(Effect.zipRight(looking, supervision.changed(() => supervision.newest() !== seen)))
    )
  })

  const waitFor = (waiter: Waiter) => Effect.zipRight(withCore(look), Deferred.await(waiter.found))

  // It may have asked just before its end.
  const notAsked = (waiter: Waiter, program: Fiber.Fiber<unknown, unknown>) =>
    Effect.gen(function*() {
      const exit = yield* Fiber.await(program)
      yield* withCore(look)
      return waiters.has(waiter) ? yield* NotAsked.of(waiter.which, exit, yield* invocations) : yield* waitFor(waiter)
    })

  function asked(which: Which): Effect.Effect<PendingApproval>
  function asked(
    which: Which,
    options: { readonly while?: Fiber.Fiber<unknown, unknown> | undefined }
  ): Effect.Effect<PendingApproval, NotAsked>
  function asked(
    which: Which,
    options: { readonly while?: Fiber.Fiber<unknown, unknown> | undefined } = {}
  ): Effect.Effect<PendingApproval, NotAsked> {
    return Effect.gen(function*() {
      const waiter = { which, found: yield* Deferred.make<PendingApproval>() }
      waiters.add(waiter)
      const found = waitFor(waiter)
      const program = options.while
      return yield* Effect.ensuring(
        program === undefined ? found : Effect.raceFirst(found, notAsked(waiter, program)),
        Effect.sync(() => waiters.delete(waiter))
      )
    })
  }

  const behind: HumansBehind = {
    humans: {
      approve: (which, options) => make(which, { _tag: "Approve" }, options),
      reject: (which, reason, options) => make(which, { _tag: "Reject", reason }, options),
      expire: (which, options) => make(which, { _tag: "Expire" }, options),
      pending: withCore(listed),
      asked
    },
    attach,
    unused: Effect.sync(() => unusedOf(decisions))
  }
  return behind
})
