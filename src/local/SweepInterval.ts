import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/** How often a gateway clears away what is no longer needed: every hour, unless a test that moves the Clock by days provides more. */
export class SweepInterval extends Context.Reference<SweepInterval>()("kruxos/local/SweepInterval", {
  defaultValue: () => Duration.hours(1)
}) {}
