import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import type { HostPattern } from "../egress/HostPattern.js"
import type { Template } from "./templates.js"

/** Who says something about an invocation; the strictest of them wins. */
export type LayerName = "system" | "organization" | "agent"

/** What a rule says, and where it stands. */
export interface Verdict {
  readonly tier: PermissionTier
  /** Such as `organization:filesystem.write[1]`, the first of the rules with a condition. */
  readonly rule: string
  readonly reason: string | undefined
  readonly layer: LayerName
  /** The line of the layer's file; 0 for what stands in no file. */
  readonly line: number
}

/** A place in the workspace, by its names and by what file systems may take for the same. */
export interface Place {
  readonly names: ReadonlyArray<string>
  readonly folded: ReadonlyArray<string>
}

/** When a rule applies: all that is said has to be so. */
export interface Condition {
  readonly sizeBelow: number | undefined
  readonly sizeFrom: number | undefined
  readonly pathPrefix: Place | undefined
}

/** What holds under a condition. */
export interface ConditionalRule {
  readonly condition: Condition
  readonly verdict: Verdict
}

/** How many invocations may run in a time. */
export interface RateLimit {
  readonly rule: string
  readonly max: number
  readonly windowSeconds: number
  /** What holds for those above it; without one they fail. */
  readonly onExceed: Verdict | undefined
  readonly line: number
}

/** What a layer says of the capabilities of one pattern. */
export interface Entry {
  readonly pattern: string
  readonly rules: ReadonlyArray<ConditionalRule>
  /** What holds where no rule applies. */
  readonly otherwise: Verdict | undefined
  readonly rateLimit: RateLimit | undefined
  readonly line: number
}

/** A policy as one of the layers. */
export interface Layer {
  readonly layer: LayerName
  /** None for a template. */
  readonly file: string | undefined
  readonly entries: ReadonlyMap<string, Entry>
  readonly defaults: Verdict | undefined
  /** What holds where there is neither an entry nor a default. Without one, the layer then has no opinion. */
  readonly template: Template | undefined
  /** The hosts that agents may reach; undefined where it says nothing of them. */
  readonly allowedHosts: ReadonlyArray<HostPattern> | undefined
}
