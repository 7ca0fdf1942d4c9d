import type { SqlError } from "@effect/sql/SqlError"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { BackupKey } from "./archive/BackupPlace.js"
import type { InvalidCapabilityName, Pack, PackConflict } from "./capabilities/Pack.js"
import type { DataDirectoryUnavailable } from "./data/DataDirectory.js"
import type { OwnKeyUnknown } from "./data/ownAgent.js"
import type { InvalidPolicy } from "./policy/InvalidPolicy.js"
import type { PolicyChoice } from "./policy/PolicyChoice.js"
import type { ServeFailed } from "./protocol/server.js"
import type { SandboxChoice, SandboxFacts } from "./sandbox/Sandbox.js"
import type { AgentAlreadyExists, AgentRevoked, InvalidAgentName, InvalidApiKey } from "./store/AgentErrors.js"
import type { StoreUnavailable } from "./store/StoreUnavailable.js"
import type { InitialFiles } from "./temporaryWorkspace.js"
import type { VaultKey } from "./vault/VaultPlace.js"
import type { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

/** What a local gateway works with. */
export interface LocalGatewayOptions {
  /** The directory that agents see as `/workspace`: the only one that they can touch. */
  readonly workspace: string
  /**
   * Where the gateway keeps its database and its key; agents never see it. `:memory:` keeps nothing. Default: `.kruxos` in the
   * current directory.
   */
  readonly dataDirectory?: string | undefined
  /** The agent that exists from the start: 1–64 letters, digits, `.`, `-`, `_`. Default: `agent`. */
  readonly agent?: string | undefined
  /**
   * The organization's layer of the policy: a template by its name (`team-moderate` gives the tiers of the catalogue), a file, or tiers
   * by capabilities and patterns over those of `team-moderate` (`{ tiers: { "process.*": "approval_required" } }`). Default:
   * `policies/organization.yaml` in the data directory, or `team-moderate` where there is none. `allow-all` runs every capability,
   * whatever files say.
   */
  readonly policy?: PolicyChoice | undefined
  /**
   * Hosts that agents may reach, besides those that the organization's policy names: `api.example.com`, `*.example.com`,
   * `127.0.0.1:8080`, or `*` for all that are public. Without any nothing is reached. Also with `allow-all`.
   */
  readonly network?: { readonly allow: ReadonlyArray<string> } | undefined
  /**
   * What the programs of `process.*` run in: `bubblewrap`, or `none`, where they can do all that the gateway's own user can. Default:
   * `bubblewrap`; where that is missing or does not work, no program is started (SpawnFailed, which says what to do).
   */
  readonly sandbox?: SandboxChoice | undefined
  /**
   * What backups of the agents' state are encrypted with: a file with a key (32 bytes, or 64 hexadecimal characters), or a passphrase.
   * Default: the file `backup.key` in the data directory, which is made at the first backup. Without data directory there are none.
   */
  readonly backupKey?: BackupKey | undefined
  /**
   * What the secrets are encrypted with that `kruxos vault` keeps: a file with a key (32 bytes, or 64 hexadecimal characters), or a
   * passphrase. Default: the file `vault.key` in the data directory, which is made with the first secret.
   */
  readonly vaultKey?: VaultKey | undefined
  /** Capabilities of your own, made by {@link pack}. */
  readonly packs?: ReadonlyArray<Pack> | undefined
}

/** What a local gateway for one test works with. */
export interface LocalGatewayTestOptions extends Omit<LocalGatewayOptions, "workspace" | "dataDirectory"> {
  /** What is in the workspace from the start. */
  readonly files?: InitialFiles | undefined
  /** What the gateway's names and the jitter of its client are drawn from, so that two runs have the same. Default: by chance. */
  readonly seed?: number | undefined
}

/** Why a local gateway cannot start. */
export type StartFailure =
  | AgentAlreadyExists
  | AgentRevoked
  | DataDirectoryUnavailable
  | InvalidAgentName
  | InvalidApiKey
  | InvalidCapabilityName
  | InvalidPolicy
  | PackConflict
  | SqlError
  | StoreUnavailable
  | WorkspaceUnavailable

/** Why a local gateway cannot be served. */
export type ServeFailure = StartFailure | OwnKeyUnknown | ServeFailed

/** What `serve` needs besides. */
export interface ServeOptions extends LocalGatewayOptions {
  /** Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 picks a free one. Default: 7700. */
  readonly port?: number | undefined
  /**
   * The agent's key: 64 hexadecimal characters. Else one is made at the first start, and kept in the data directory in a file
   * that only its owner can read.
   */
  readonly apiKey?: Redacted.Redacted<string> | undefined
  /**
   * How long requests that run when the gateway ends may take to finish; new ones are refused meanwhile. Those that have not
   * finished are interrupted. Default: 10 seconds.
   */
  readonly gracePeriod?: Duration.DurationInput | undefined
}

/** A gateway that listens. */
export interface Served {
  /** The WebSocket, for MCP and for this SDK. */
  readonly url: string
  /** JSON-RPC over HTTP. */
  readonly rpc: string
  /** Where supervisors decide, over HTTP. */
  readonly api: string
  readonly port: number
  /** What holds the programs that agents run. */
  readonly sandbox: SandboxFacts
  readonly agent: string
  readonly apiKey: Redacted.Redacted<string>
  /** What a supervisor decides with; also in the file `supervisor.token` of the data directory, which only its owner can read. */
  readonly supervisorToken: Redacted.Redacted<string>
  /** The supervisors' page, for a browser. The token is in its fragment, which browsers send nowhere. */
  readonly page: Redacted.Redacted<string>
}
