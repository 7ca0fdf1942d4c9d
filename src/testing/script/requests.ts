import * as Effect from "effect/Effect"
import { RateLimited, ServiceUnavailable } from "../../errors/general.js"
import type { MethodsService } from "../../local/protocol/methods.js"
import { type Refusal, refuseError } from "../../local/protocol/Refusal.js"
import type { Reply } from "../Reply.js"
import type { AnyStep } from "./AnyReply.js"
import type { FaultControl } from "./FaultControl.js"
import * as Faults from "./faults.js"
import * as Line from "./Line.js"
import type { Mismatch } from "./ScriptMismatch.js"

/** What the SDK asks of a gateway besides invocations, by the names of the protocol. */
export type GatewayRequest =
  | "transaction.begin"
  | "transaction.commit"
  | "transaction.rollback"
  | "approvals.check"
  | "approvals.list"
  | "approvals.withdraw"
  | "capabilities.outcome"

/** What a request comes to: what the gateway itself says (`Reply.passThrough`), or a refusal; late or with faults. */
export type RequestReply = Reply<unknown, never, RateLimited | ServiceUnavailable>

/** What is expected of requests. */
export interface Requests {
  readonly expect: (request: GatewayRequest, reply: RequestReply) => void
  /** Puts what is expected around what the gateway does. */
  readonly methods: (control: FaultControl) => (own: MethodsService) => MethodsService
  readonly unused: () => ReadonlyArray<Mismatch>
}

interface Expected {
  readonly request: string
  readonly line: Line.Line
}

const answerOf = (
  { answer }: AnyStep,
  called: Effect.Effect<unknown, Refusal>
): Effect.Effect<unknown, Refusal> => {
  if (answer._tag === "PassThrough") return called
  return answer._tag === "Failure" &&
      (answer.error instanceof RateLimited || answer.error instanceof ServiceUnavailable)
    ? Effect.fail(refuseError(answer.error))
    : Effect.dieMessage("a request that is no invocation is passed through or refused, and nothing else")
}

/** Makes it with nothing expected. */
export const make = (): Requests => {
  const all: Array<Expected> = []
  return {
    expect: (request, reply) => {
      all.push({ request, line: Line.make(reply, { repeats: false }) })
    },
    methods: (control) => {
      const faults = Faults.make(control)
      return (own) => ({
        ...own,
        call: (session, method, params) => {
          const called = own.call(session, method, params)
          const expected = all.find(({ line, request }) => request === method && Line.hasNext(line))
          const taken = expected && Line.take(expected.line)
          return taken === undefined
            ? called
            : Faults.around(faults, taken, false, answerOf(taken.step, called))
        }
      })
    },
    unused: () =>
      all.flatMap(({ line, request }): ReadonlyArray<Mismatch> => {
        const left = Line.least(line)
        return left > 0 ? [{ _tag: "Unused", what: `the request ${request}`, left }] : []
      })
  }
}
