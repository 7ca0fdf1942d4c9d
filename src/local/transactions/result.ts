import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TransactionClosed, TransactionTimeout, VersionConflict } from "../../errors/general.js"
import { RollbackReport } from "../../schema/Rollback.js"
import type { TransactionRecord } from "../store/Transactions.js"
import type { CommitResult } from "./Transactions.js"

const Stored = Schema.Struct({
  error: Schema.Union(TransactionTimeout, TransactionClosed, VersionConflict),
  report: RollbackReport
})

const encodeStored = Schema.encode(Stored)
const decodeStored = Schema.decodeUnknown(Stored)

/** What the store keeps of a rollback, for 24 hours. */
export const encode = ({ error, report }: Extract<CommitResult, { readonly _tag: "RolledBack" }>) =>
  Effect.mapError(
    encodeStored({ error, report }),
    (cause) => new SqlError({ cause, message: "What came of a rollback cannot be stored" })
  )

/** What a transaction came to that has ended. */
export const decode = ({ result, status }: TransactionRecord): Effect.Effect<CommitResult, SqlError> =>
  status === "committed"
    ? Effect.succeed({ _tag: "Committed" })
    : Effect.mapBoth(decodeStored(Option.getOrUndefined(result)), {
      onFailure: (cause) => new SqlError({ cause, message: "What came of a rollback cannot be read" }),
      onSuccess: (stored): CommitResult => ({ _tag: "RolledBack", ...stored })
    })
