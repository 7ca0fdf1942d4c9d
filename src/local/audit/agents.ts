import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentsService } from "../store/Agents.js"
import type { AuditLogService } from "../store/AuditLog.js"
import { endLost, fact, type Kind } from "./facts.js"

/**
 * The agents of a data directory, with what is done about them put into the audit log. What has been done stays done where it
 * cannot be put there, which is logged: a new agent's key can be told only once.
 */
export const audited = (agents: AgentsService, log: AuditLogService): AgentsService => {
  const note = (kind: Kind, agent: string) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (at) => log.append([fact(at, kind, { agent }, {})], Option.none(), (head) => endLost(at, head))
    ).pipe(Effect.catchAll((cause) => Effect.logWarning(`The audit log does not have it: ${kind} ${agent}`, cause)))

  return {
    ...agents,
    create: (options) => Effect.tap(agents.create(options), ({ agent }) => note("agent_created", agent.name)),
    rotate: (name) => Effect.tap(agents.rotate(name), () => note("agent_key_rotated", name)),
    revoke: (name) => Effect.tap(agents.revoke(name), () => note("agent_revoked", name)),
    pause: (name) => Effect.tap(agents.pause(name), () => note("agent_paused", name)),
    resume: (name) => Effect.tap(agents.resume(name), () => note("agent_resumed", name))
  }
}
