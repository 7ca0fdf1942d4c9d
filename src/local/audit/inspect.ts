import * as NodeContext from "@effect/platform-node/NodeContext"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as DataDirectory from "../data/DataDirectory.js"
import { AuditLog, type AuditLogService } from "../store/AuditLog.js"
import * as Store from "../store/Store.js"
import type { StoreUnavailable } from "../store/StoreUnavailable.js"
import type { Head } from "./chain.js"
import * as HeadFile from "./head.js"
import { type Verification, verify } from "./verify.js"

export type { AuditEntry } from "../store/AuditLog.js"
export type { Head } from "./chain.js"
export { format, parse } from "./head.js"
export type { Damage, Verification } from "./verify.js"

/** A log and what is known of its end. */
export interface Verified extends Verification {
  /** What the data directory says of where the log ended; none where it says nothing. */
  readonly kept: Option.Option<Head>
}

/** The audit log of a data directory, for whoever looks into it: also while a gateway runs on it. */
export interface Inspection {
  /** Looks at all of it, and whether it holds what these and the data directory's own anchor were taken from. */
  readonly verify: (
    anchors: ReadonlyArray<Head>
  ) => Effect.Effect<Verified, SqlError | DataDirectory.DataDirectoryUnavailable>
  readonly list: AuditLogService["list"]
}

/** Opens the audit log of a data directory that a gateway has been started on, until the scope ends. */
export const open = (
  directory: string
): Effect.Effect<Inspection, DataDirectory.DataDirectoryUnavailable | StoreUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* DataDirectory.openExisting(directory)
    const log = Context.get(yield* Layer.build(Store.layer({ filename: data.database })), AuditLog)
    // Before the log is read: what is added meanwhile is no damage.
    const kept = Effect.mapError(
      HeadFile.read(HeadFile.fileIn(data.path)),
      ({ cause }) =>
        new DataDirectory.DataDirectoryUnavailable({
          path: data.path,
          message: `Where the audit log ended cannot be read in ${data.path}`,
          cause
        })
    )
    const inspection: Inspection = {
      verify: (anchors) =>
        Effect.flatMap(kept, (known) =>
          Effect.map(
            verify(log, [...anchors, ...Option.toArray(known)]),
            (found) => ({ ...found, kept: known })
          )),
      list: log.list
    }
    return inspection
  }).pipe(Effect.provide(NodeContext.layer))
