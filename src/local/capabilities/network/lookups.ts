import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as network from "../../../catalogue/network.js"
import { DnsResolutionFailed, PortCheckFailed } from "../../../errors/network.js"
import { resolveDestination } from "../../egress/destination.js"
import { HostRefused, NoAnswer } from "../../egress/failures.js"
import { showHost } from "../../egress/Host.js"
import type { ResolverService } from "../../egress/Resolver.js"
import { openSocket } from "../../egress/socket.js"
import type { PolicyService } from "../../policy/Policy.js"
import { codeOf } from "../../workspace/systemFailure.js"
import type { Handler } from "../Handler.js"
import { hostIn, policyDenied } from "./failures.js"

const patience = "15 seconds"

/**
 * The addresses of a host that the policy allows, public or not: a question to a name server can carry data out as well as a
 * request can, so that any other host is PolicyDenied.
 */
export const makeDnsLookup =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof network.dnsLookup> => ({ hostname }, { agent }) =>
    Effect.gen(function*() {
      const host = yield* hostIn("hostname", hostname)
      const refusal = policy.egress(agent).refusal({ host, port: undefined })
      if (refusal !== undefined) {
        return yield* policyDenied(new HostRefused({ host: showHost(host), refusal, url: undefined }))
      }
      const addresses = host._tag === "Address"
        ? [host.address]
        : yield* resolver.addressesOf(host.name).pipe(
          Effect.timeoutFail({
            duration: patience,
            onTimeout: () =>
              new NoAnswer({
                reason: "timeout",
                message: `The name servers did not answer in ${patience}`,
                sent: false
              })
          }),
          Effect.mapError((cause) =>
            new DnsResolutionFailed({ message: cause.message, hostname, context: { reason: cause.reason }, cause })
          )
        )
      return { addresses, hostname }
    })

const isClosed = ({ cause, reason }: NoAnswer): boolean =>
  reason === "timeout" || (reason === "not_connected" && ["ECONNREFUSED", "ETIMEDOUT"].includes(codeOf(cause) ?? ""))

/**
 * Whether a port of a host that the policy allows accepts a connection, which is closed at once. One that does not answer in time
 * is not open; a host that has no address or that no network leads to is ConnectionFailed.
 */
export const makePortCheck =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof network.portCheck> =>
  ({ host: text, port, timeout }, { agent }) =>
    Effect.suspend(() => {
      let isResolved = false
      const tooSlow = () =>
        new NoAnswer({
          reason: isResolved ? "timeout" : "not_resolved",
          message: `There was no answer within ${timeout} seconds`,
          sent: false
        })
      return Effect.gen(function*() {
        const host = yield* hostIn("host", text)
        const destination = yield* resolveDestination(policy.egress(agent), resolver, { host, port })
        isResolved = true
        const started = yield* Clock.currentTimeMillis
        yield* Effect.scoped(openSocket(destination, { secure: false }))
        return { open: true, latency_ms: (yield* Clock.currentTimeMillis) - started, host: text, port }
      }).pipe(Effect.timeoutFail({ duration: Duration.seconds(timeout), onTimeout: tooSlow }))
    }).pipe(
      Effect.catchTags({
        HostRefused: policyDenied,
        NoAnswer: (error) =>
          isClosed(error)
            ? Effect.succeed({ open: false, latency_ms: null, host: text, port })
            : Effect.fail(
              new PortCheckFailed({
                message: error.message,
                host: text,
                port,
                context: { reason: error.reason },
                cause: error
              })
            )
      })
    )
