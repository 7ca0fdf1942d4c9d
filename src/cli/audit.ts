import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { entryView, timeOf } from "../local/audit/entryView.js"
import type * as Inspect from "../local/audit/inspect.js"
import type { AuditEntry, Head, Inspection, Verified } from "../local/audit/inspect.js"
import { type CommandFailed, failed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { explainLocal, type LocalFailure } from "./localFailure.js"
import { dataDirectory, json, optionalText, time, wholeNumber } from "./options.js"
import { print, printError, printTable } from "./print.js"
import { oneLine, prettyJson } from "./text.js"

const inspect = <A>(
  directory: string,
  use: (inspection: Inspection, module: typeof Inspect) => Effect.Effect<A, LocalFailure | CommandFailed>
): Effect.Effect<A, CommandFailed> =>
  Effect.gen(function*() {
    const module = yield* loadLocal(() => import("../local/audit/inspect.js"))
    const inspection = yield* Effect.mapError(module.open(directory), explainLocal)
    return yield* Effect.mapError(
      use(inspection, module),
      (error) => error._tag === "CommandFailed" ? error : explainLocal(error)
    )
  }).pipe(Effect.scoped)

const verification = ({ damage, entries, gaps, head, kept }: Verified, format: (head: Head) => string) => ({
  ok: Option.isNone(damage),
  entries,
  anchor: format(head),
  kept_anchor: Option.getOrNull(Option.map(kept, format)),
  gaps,
  damage: Option.getOrNull(damage)
})

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

const verify = Command.make("verify", {
  data: dataDirectory,
  anchor: optionalText(
    "anchor",
    "NUMBER:HASH",
    "Where the log ended at some time, as verify printed it then: what was added since may follow, and nothing else."
  ),
  json: json("Print what was found as JSON.")
}, ({ anchor, data, json }) =>
  inspect(data, ({ verify }, { format, parse }) =>
    Effect.gen(function*() {
      const given = Option.flatMap(anchor, parse)
      if (Option.isSome(anchor) && Option.isNone(given)) {
        return yield* failed(
          oneLine(`${anchor.value} is no anchor: it is a number, a colon and 64 hexadecimal characters`)
        )
      }
      const found = yield* verify(Option.toArray(given))
      if (json) yield* print(prettyJson(verification(found, format)))
      if (Option.isSome(found.damage)) {
        const { message, problem, sequence } = found.damage.value
        return yield* failed(oneLine(`The audit log is damaged at entry ${sequence} (${problem}): ${message}`))
      }
      if (found.gaps > 0) {
        yield* printError(
          `${plural(found.gaps, "time", "times")} the gateway could not write for a while: see the entries_lost`
        )
      }
      if (Option.isNone(found.kept)) {
        yield* printError(
          "The data directory does not say where the log ended: whether its end is missing was not checked"
        )
      }
      if (json) return
      yield* print(`The audit log is whole: ${plural(found.entries, "entry", "entries")}`)
      yield* print(`Anchor, to be kept elsewhere and given to --anchor later: ${format(found.head)}`)
    }))).pipe(
    Command.withDescription(
      "Look at the whole log, and name the first entry that was changed, removed, inserted or moved. Exit code 1 if there is one."
    )
  )

const longestDetails = 200

const row = (entry: AuditEntry) => [
  String(entry.sequence),
  timeOf(entry),
  entry.kind,
  entry.agent ?? "-",
  entry.capability ?? "-",
  entry.rule ?? "-",
  entry.approvalId ?? "-",
  entry.details.length > longestDetails ? `${entry.details.slice(0, longestDetails)}…` : entry.details
]

const list = Command.make(
  "list",
  {
    data: dataDirectory,
    agent: optionalText("agent", "NAME", "Only entries about this agent."),
    capability: optionalText(
      "capability",
      "NAME",
      "Only entries about it; a star stands for any text, as in filesystem.*"
    ),
    transaction: optionalText(
      "transaction",
      "ID",
      "Only entries about this transaction, its steps and its savepoints."
    ),
    since: time("since").pipe(
      Options.withDescription(
        "Only entries from this time on, such as 2026-01-31T12:00:00Z, or so long ago, such as 30m."
      ),
      Options.map(DateTime.toEpochMillis),
      Options.optional
    ),
    limit: wholeNumber("limit", 1, 100_000).pipe(
      Options.withDescription("How many at most, the newest; 100 if not given."),
      Options.withDefault(100)
    ),
    json: json("Print the entries as JSON, with all that they say.")
  },
  ({ agent, capability, data, json, limit, since, transaction }) =>
    inspect(data, ({ list }) =>
      Effect.gen(function*() {
        const entries = yield* list({
          agent: Option.getOrUndefined(agent),
          capability: Option.getOrUndefined(capability),
          transaction: Option.getOrUndefined(transaction),
          since: Option.getOrUndefined(since),
          limit
        })
        if (json) return yield* print(prettyJson(entries.map(entryView)))
        const rows = [
          ["NUMBER", "TIME", "KIND", "AGENT", "CAPABILITY", "RULE", "APPROVAL", "DETAILS"],
          ...entries.map(row)
        ]
        yield* printTable(rows)
      }))
).pipe(Command.withDescription("List what agents did and what was decided, the newest last."))

/** `kruxos audit` */
export const audit = Command.make("audit").pipe(
  Command.withDescription("Look into the audit log of a data directory, also while a gateway runs on it."),
  Command.withSubcommands([list, verify])
)
