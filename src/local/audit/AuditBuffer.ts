import * as Context from "effect/Context"

/** What waits to be written to the audit log. */
export class AuditBuffer extends Context.Tag("kruxos/local/AuditBuffer")<AuditBuffer, {
  /** How many entries wait now. */
  readonly waiting: () => number
}>() {}
