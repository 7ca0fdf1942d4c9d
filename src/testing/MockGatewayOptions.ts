import type { BuiltIn } from "../catalogue/builtIn.js"
import type { AnyCatalogue } from "../catalogue/Catalogue.js"
import type { PolicyChoice } from "../local/policy/PolicyChoice.js"
import type { CallSettings } from "../services/GatewayOptions.js"
import type { FurtherScripts, Scripts } from "./Scripts.js"

/** What is in the gateway's stores from the start, by key. */
export interface InitialState {
  /** What the agent keeps for itself. */
  readonly persistent?: { readonly [key: string]: unknown } | undefined
  /** What all agents share; each has version 1. */
  readonly shared?: { readonly [key: string]: unknown } | undefined
}

/** What a mock gateway works with, besides what its capabilities do. */
export interface MockSettings extends CallSettings {
  /**
   * Who may do what: as a local gateway takes it. Default: `team-moderate`, the tiers of the catalogue, so that what needs approval
   * in production needs it in the test.
   */
  readonly policy?: PolicyChoice | undefined
  readonly state?: InitialState | undefined
  /**
   * The files of the workspace, by their paths in it. With them `filesystem.*` is carried out on real files in a temporary
   * directory, unless it is scripted. Without them it has to be scripted.
   */
  readonly files?: { readonly [path: string]: string | Uint8Array } | undefined
  /** The agent's name. Default: `agent`. */
  readonly agent?: string | undefined
  /** What ids and jitter are drawn from, so that two runs are the same. Default: 0. */
  readonly seed?: number | undefined
  /**
   * Whether `verify` is run when the layer ends, if what it was provided to has succeeded. What did not go by the script is a defect
   * then, a ScriptMismatch. Default: false, the test runs `verify` itself.
   */
  readonly verifyAtEnd?: boolean | undefined
}

/** What a mock gateway works with. */
export interface MockGatewayOptions extends MockSettings {
  /**
   * What capabilities do. One that is neither here nor expected fails, and the test with it (see `verify`); only `agent.*`, `alerts.*`,
   * `comms.*` and `state.*` are carried out by the gateway itself, in its memory, unless they are scripted.
   */
  readonly capabilities?: Scripts<BuiltIn> | undefined
  /** Capabilities of your own: see MockGatewayOptionsWith. */
  readonly catalogue?: undefined
}

/** What a mock gateway works with that has capabilities of your own, which `capabilities` knows as well. */
export interface MockGatewayOptionsWith<C extends AnyCatalogue> extends MockSettings {
  readonly capabilities?: (Scripts<BuiltIn> & FurtherScripts<NoInfer<C>>) | undefined
  readonly catalogue: C
}

/** The same, where nobody asks what fits: what the compiler can do is exceeded by it otherwise. */
export interface AnyMockGatewayOptions extends MockSettings {
  readonly capabilities?: object | undefined
  readonly catalogue?: AnyCatalogue | undefined
}
