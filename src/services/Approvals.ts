import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { BuiltIn } from "../catalogue/builtIn.js"
import type { AnyCatalogue, InvokeErrorIn, NameIn, Output } from "../catalogue/Catalogue.js"
import * as Wire from "../connection/approvals.js"
import type { Link } from "../connection/Link.js"
import type { ApprovalExpired, ApprovalRejected, ApprovalRequired } from "../errors/general.js"
import type { ApprovalOutcome, ApprovalState, ApprovalStatus } from "../schema/Approval.js"
import type { Wrappable, Wrapped } from "./ambient.js"
import type { ApprovalRegion } from "./approvalRegion.js"
import { approvedResult, type Reading, type RunFailure } from "./approvedResult.js"
import { codecOf } from "./codec.js"
import { type Decisions, isResolved, type WaitOptions } from "./decisions.js"

export type { ApprovalsError } from "../connection/approvals.js"
export type { WaitOptions } from "./decisions.js"

/** What an invocation by this name returns; unknown for a name that the catalogue lacks. */
type OutputOf<C extends AnyCatalogue, Name extends string> = Name extends NameIn<C> ? Output<C, Name> : unknown

/** What the approved invocation of a capability can have failed with. */
type FailureOf<C extends AnyCatalogue, Name extends string> = Name extends NameIn<C>
  ? Exclude<InvokeErrorIn<C, Name>, ApprovalRequired | ApprovalRejected | ApprovalExpired>
  : RunFailure

/** What humans have to decide about an agent's invocations, and how to wait for it. Source: the guide's "Approvals". */
export interface ApprovalsService<C extends AnyCatalogue = BuiltIn> {
  /**
   * Where a request for approval stands now. By its handle, the result of what was approved has the types of the invocation. Fails with
   * InvalidInput where this agent has no such request.
   */
  readonly check: {
    <Name extends string>(
      handle: ApprovalRequired<Name>
    ): Effect.Effect<ApprovalStatus<OutputOf<C, Name>, FailureOf<C, Name>>, Wire.ApprovalsError>
    (approvalId: string): Effect.Effect<ApprovalStatus<unknown, RunFailure>, Wire.ApprovalsError>
  }

  /**
   * Waits until a request is decided and, where it is approved, carried out; a refusal, an expiry and a withdrawal are outcomes. By
   * its handle, the data of what was approved has the type that the invocation would have had. What was approved and then
   * failed fails here, with the errors of the invocation: as anywhere else, `data` is there when it succeeded, and
   * `Effect.catchTag` tells one failure from another.
   *
   * The wait outlives lost connections and restarts of the gateway, and uses up no request's timeout. It fails with ApprovalTimeout
   * when its own timeout passes; AuthenticationFailed and InvalidInput (this agent has no such request) end it early, and so
   * does a gateway that could not be asked for 24 hours.
   */
  readonly wait: {
    <Name extends string>(
      handle: ApprovalRequired<Name>,
      options?: WaitOptions
    ): Effect.Effect<ApprovalOutcome<OutputOf<C, Name>>, FailureOf<C, Name>>
    (approvalId: string, options?: WaitOptions): Effect.Effect<ApprovalOutcome, RunFailure>
  }

  /**
   * This agent's requests, or those with a status. Fails with ProtocolError on a gateway without the feature `approvals`.
   */
  readonly list: (
    filter?: { readonly status?: ApprovalState | undefined }
  ) => Effect.Effect<ReadonlyArray<ApprovalStatus<unknown, RunFailure>>, Wire.ApprovalsError>

  /**
   * Takes a request back, so that it can no longer be decided, and succeeds with where it stands now: one that was decided before
   * stays so. Fails with ProtocolError on a gateway without the feature `approvals`.
   */
  readonly withdraw: (
    request: string | ApprovalRequired
  ) => Effect.Effect<ApprovalStatus<unknown, RunFailure>, Wire.ApprovalsError>

  /** As `Approvals.awaitApproval`, for this gateway. */
  readonly awaitApproval: (
    options?: WaitOptions
  ) => <T extends Wrappable>(self: T) => Wrapped<T, ApprovalRequired, never>

  /** As `Approvals.failFast`, for this gateway. */
  readonly failFast: <T extends Wrappable>(self: T) => Wrapped<T, never, never>

  /** The same approvals, with the handles of another catalogue's capabilities typed too. */
  readonly withCatalogue: <Mine extends AnyCatalogue>(mine: Mine) => ApprovalsService<C & Mine>
}

const idOf = (request: string | ApprovalRequired): string => typeof request === "string" ? request : request.approvalId

/** Makes the service over a link. `requestTimeoutMillis` is how long one question to the gateway waits. */
export const make = <C extends AnyCatalogue>(
  link: Link,
  catalogue: C,
  requestTimeoutMillis: number,
  decisions: Decisions,
  region: ApprovalRegion
): ApprovalsService<C> => {
  // An id alone says nothing of types: its data is as it came.
  const ranAs = (request: string | ApprovalRequired, { capability, outcome }: Wire.RawApproval) => {
    if (outcome === undefined) return undefined
    if (typeof request === "string") return approvedResult(outcome, capability)
    const name = request.capability ?? capability
    const reading: Reading | undefined = name === undefined ? undefined : codecOf(catalogue, name)
    return approvedResult(outcome, name, reading)
  }

  const statusOf = (
    request: string | ApprovalRequired,
    approval: Wire.RawApproval
  ): ApprovalStatus<unknown, RunFailure> => {
    const { outcome: _, ...rest } = approval
    return { ...rest, resolved: isResolved(approval.status), result: ranAs(request, approval) }
  }

  const outcomeOf = (
    request: string | ApprovalRequired,
    approval: Wire.RawApproval
  ): Either.Either<ApprovalOutcome, RunFailure> => {
    const { approvalId, reason, status } = approval
    switch (status) {
      case "rejected":
      case "withdrawn":
        return Either.right({ status, approved: false, approvalId, reason })
      case "approved": {
        const result = ranAs(request, approval)
        return result === undefined
          ? Either.right({ status: "granted", approved: true, approvalId })
          : Either.map(result, (data) => ({ status, approved: true, approvalId, data }))
      }
      default:
        return Either.right({ status: "expired", approved: false, approvalId, reason })
    }
  }

  function check<Name extends string>(
    handle: ApprovalRequired<Name>
  ): Effect.Effect<ApprovalStatus<OutputOf<C, Name>, FailureOf<C, Name>>, Wire.ApprovalsError>
  function check(approvalId: string): Effect.Effect<ApprovalStatus<unknown, RunFailure>, Wire.ApprovalsError>
  function check(
    request: string | ApprovalRequired
  ): Effect.Effect<ApprovalStatus<unknown, RunFailure>, Wire.ApprovalsError> {
    return Effect.map(
      Wire.check(link, idOf(request), requestTimeoutMillis),
      (approval) => statusOf(request, approval)
    )
  }

  function wait<Name extends string>(
    handle: ApprovalRequired<Name>,
    options?: WaitOptions
  ): Effect.Effect<ApprovalOutcome<OutputOf<C, Name>>, FailureOf<C, Name>>
  function wait(approvalId: string, options?: WaitOptions): Effect.Effect<ApprovalOutcome, RunFailure>
  function wait(
    request: string | ApprovalRequired,
    options: WaitOptions = {}
  ): Effect.Effect<ApprovalOutcome, RunFailure> {
    const awaited = typeof request === "string" ? { approvalId: request, capability: undefined } : request
    return Effect.flatMap(
      Effect.uninterruptibleMask((restore) => decisions.wait(awaited, options, restore)),
      (approval) => outcomeOf(request, approval)
    )
  }

  return {
    check,
    wait,
    list: ({ status } = {}) =>
      Effect.map(
        Wire.list(link, status, requestTimeoutMillis),
        (approvals) => approvals.map((approval) => statusOf(approval.approvalId, approval))
      ),
    withdraw: (request) =>
      Effect.map(
        Wire.withdraw(link, idOf(request), requestTimeoutMillis),
        (approval) => statusOf(approval.approvalId, approval)
      ),
    awaitApproval: (options = {}) => (self) => region.inside(self, options),
    failFast: region.outside,
    withCatalogue: (mine) => make(link, { ...catalogue, ...mine }, requestTimeoutMillis, decisions, region)
  }
}

function inside<T extends Wrappable>(self: T, options?: WaitOptions): Wrapped<T, ApprovalRequired, Approvals>
function inside(self: Wrappable, options?: WaitOptions): Wrappable {
  return Effect.isEffect(self)
    ? Effect.flatMap(Approvals, (approvals) => approvals.awaitApproval(options)(self))
    : Stream.unwrap(Effect.map(Approvals, (approvals) => approvals.awaitApproval(options)(self)))
}

function outside<T extends Wrappable>(self: T): Wrapped<T, never, Approvals>
function outside(self: Wrappable): Wrappable {
  return Effect.isEffect(self)
    ? Effect.flatMap(Approvals, (approvals) => approvals.failFast(self))
    : Stream.unwrap(Effect.map(Approvals, (approvals) => approvals.failFast(self)))
}

/** The approvals of the gateway that a Layer connects to. */
export class Approvals extends Context.Tag("kruxos/Approvals")<Approvals, ApprovalsService>() {
  /**
   * Inside what this wraps, an effect or a stream, an invocation that needs approval waits for it instead of failing with
   * ApprovalRequired: on every fiber forked inside, in the layers that are built and the finalizers that are added inside. It then
   * gives its output as if nobody had been asked; a refusal is ApprovalRejected, an expiry or a withdrawal ApprovalExpired. The
   * timeout is that of each wait and not of the whole, and fails with ApprovalTimeout; the timeout of a request does not run meanwhile.
   *
   * Nothing is run again to get there: the gateway runs what is approved. One without the feature `approvals` does not, and there the
   * invocation is made once more when it is approved; where even that needs approval, it fails with ApprovalExpired. Such a gateway
   * may also hold its answer back until a human has decided: it is waited for as long as for a decision, at most 24 hours.
   *
   * It holds for the invocations of one gateway, and not for work that is handed to a fiber, a queue or a runtime outside. An
   * ApprovalRequired that comes from elsewhere all the same, or from inside `failFast`, is a defect when it leaves.
   */
  static readonly awaitApproval: (
    options?: WaitOptions
  ) => <T extends Wrappable>(self: T) => Wrapped<T, ApprovalRequired, Approvals> = (options) => (self) =>
    inside(self, options)

  /**
   * Inside what this wraps, an invocation that needs approval fails with ApprovalRequired, also where `awaitApproval` wraps it all.
   */
  static readonly failFast: <T extends Wrappable>(self: T) => Wrapped<T, never, Approvals> = (self) => outside(self)

  /** The approvals, with the handles of another catalogue's capabilities typed too. */
  static readonly withCatalogue = <Mine extends AnyCatalogue>(
    mine: Mine
  ): Effect.Effect<ApprovalsService<BuiltIn & Mine>, never, Approvals> =>
    Effect.map(Approvals, (approvals) => approvals.withCatalogue(mine))
}
