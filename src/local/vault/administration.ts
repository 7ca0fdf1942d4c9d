import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as DataDirectory from "../data/DataDirectory.js"
import { AuditLog } from "../store/AuditLog.js"
import { Secrets } from "../store/Secrets.js"
import * as Store from "../store/Store.js"
import type { StoreUnavailable } from "../store/StoreUnavailable.js"
import * as Keeping from "./keeping.js"
import type { VaultKey } from "./VaultPlace.js"

export type { SecretRecord } from "../store/Secrets.js"

/**
 * Opens the vault of a data directory until the scope ends: also while a gateway runs on it, for which it is as it is by then when it is
 * next used. A directory that holds no gateway's data is made (`ifMissing: "make"`), or is a failure.
 */
export const open = (
  directory: string,
  { ifMissing, key }: { readonly ifMissing: "make" | "fail"; readonly key: VaultKey | undefined }
): Effect.Effect<Keeping.Keeping, DataDirectory.DataDirectoryUnavailable | StoreUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* ifMissing === "make" ? DataDirectory.open(directory) : DataDirectory.openExisting(directory)
    const store = yield* Layer.build(Store.layer({ filename: data.database }))
    const place = { dataDirectory: data.realPath, key }
    return yield* Keeping.make(place, Context.get(store, Secrets), Context.get(store, AuditLog))
  }).pipe(Effect.provide(NodeContext.layer))
