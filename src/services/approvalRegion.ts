import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Schema from "effect/Schema"
import type { RawApproval } from "../connection/approvals.js"
import * as Invocations from "../connection/invocations.js"
import type { InvokeRequest } from "../connection/InvokeRequest.js"
import type { Channel, Link } from "../connection/Link.js"
import { OutcomeUnknown } from "../errors/gateway.js"
import { ApprovalExpired, ApprovalRejected, ApprovalRequired } from "../errors/general.js"
import type { KruxosError } from "../errors/KruxosError.js"
import { locally, without, type Wrappable, type Wrapped } from "./ambient.js"
import { approvedResult } from "./approvedResult.js"
import type { Decisions, WaitOptions } from "./decisions.js"

/** Makes an invocation; `fiber` is the one that it starts on, which knows the regions that it is in. */
export type Send = (
  request: InvokeRequest,
  fiber: Pick<Fiber.RuntimeFiber<unknown, unknown>, "getFiberRef">
) => Effect.Effect<unknown, KruxosError>

/** The region of a gateway in which invocations wait for approval. */
export interface ApprovalRegion {
  readonly send: Send
  /** Runs something inside the region. */
  readonly inside: <T extends Wrappable>(self: T, options: WaitOptions) => Wrapped<T, ApprovalRequired, never>
  /** Runs something outside the region. */
  readonly outside: <T extends Wrappable>(self: T) => Wrapped<T, never, never>
}

// A gateway that says nothing while a human thinks does so for at most this long.
const longestHold = Duration.hours(24)

const isHandle = Schema.is(ApprovalRequired)

const leftBehind = (handle: ApprovalRequired) =>
  new Error(
    `An ApprovalRequired left awaitApproval, whose type says that none does: it came from inside failFast, or from another `
      + `gateway, and has to be handled inside (${handle.approvalId})`,
    { cause: handle }
  )

export const make = (link: Link, decisions: Decisions): ApprovalRegion => {
  // A fiber that is joined does not take those who join it into its region.
  const region = FiberRef.unsafeMake<WaitOptions | undefined>(undefined, { join: (outside) => outside })

  const settle = (
    handle: ApprovalRequired,
    approval: RawApproval,
    again: Effect.Effect<unknown, KruxosError>
  ): Effect.Effect<unknown, KruxosError> => {
    const { approvalId, capability = "The invocation" } = handle
    const common = { approvalId, capability: handle.capability }
    switch (approval.status) {
      case "rejected":
        return Effect.fail(
          new ApprovalRejected({
            ...common,
            message: `${capability} was rejected${approval.reason === undefined ? "" : `: ${approval.reason}`}`,
            reason: approval.reason
          })
        )
      case "approved":
        if (approval.outcome === undefined) return again
        return approvedResult(approval.outcome, handle.capability)
      default:
        return Effect.fail(
          new ApprovalExpired({
            ...common,
            message: approval.status === "withdrawn"
              ? `The request for approval of ${capability} was withdrawn before anybody decided`
              : `Nobody decided on ${capability} before the request for approval expired`
          })
        )
    }
  }

  const inRegion = (request: InvokeRequest, options: WaitOptions) =>
    Effect.uninterruptibleMask((restore) => {
      const holdMillis = Duration.toMillis(options.timeout ?? longestHold)
      let isRunByGateway = false
      const asked: InvokeRequest = {
        ...request,
        timeoutOver: ({ features }: Channel, timeoutMillis) => {
          isRunByGateway = features.has("approvals")
          return isRunByGateway ? timeoutMillis : Math.max(timeoutMillis, holdMillis)
        }
      }
      const invoked = restore(Invocations.invoke(link, asked))

      const again = (handle: ApprovalRequired) =>
        // Elsewhere the invocation would run a second time.
        isRunByGateway
          ? Effect.fail(
            new OutcomeUnknown({
              message:
                `${request.name} was approved at a gateway that runs it by itself, and the gateway that is there now `
                + "does not know what has come of it",
              capability: request.name,
              idempotencyKey: handle.idempotencyKey
            })
          )
          : Effect.catchTag(invoked, "ApprovalRequired", (second) =>
            Effect.fail(
              new ApprovalExpired({
                message: `${request.name} was approved, but when it was made again it needed approval once more`,
                capability: request.name,
                approvalId: handle.approvalId,
                context: { request_id: second.approvalId }
              })
            ))

      return Effect.catchTag(invoked, "ApprovalRequired", (handle) => {
        request.onWaiting?.(true)
        const decided = Effect.ensuring(
          decisions.wait(handle, options, restore),
          Effect.sync(() => request.onWaiting?.(false))
        )
        return Effect.flatMap(decided, (approval) => settle(handle, approval, again(handle)))
      })
    })

  const send: Send = (request, fiber) => {
    const options = fiber.getFiberRef(region)
    return options === undefined ? Invocations.invoke(link, request) : inRegion(request, options)
  }

  function inside<T extends Wrappable>(self: T, options: WaitOptions): Wrapped<T, ApprovalRequired, never>
  function inside(self: Wrappable, options: WaitOptions): Wrappable {
    return without(locally(self, region, options), isHandle, leftBehind)
  }

  return { send, inside, outside: (self) => locally(self, region, undefined) }
}
