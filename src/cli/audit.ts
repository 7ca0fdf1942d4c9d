import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Inspect from "../local/audit/inspect.js"
import type { AuditEntry, Head, Inspection, Verified } from "../local/audit/inspect.js"
import { type CommandFailed, failed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { explainLocal, type LocalFailure } from "./localFailure.js"
import { dataDirectory, invalidValue, json, parseDuration } from "./options.js"
import { print, printError } from "./print.js"
import { oneLine, prettyJson, table } from "./text.js"

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

const optional = (name: string, value: string, description: string) =>
  Options.text(name).pipe(Options.withPseudoName(value), Options.withDescription(description), Options.optional)

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
  anchor: optional(
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

const time = (text: string) =>
  Effect.gen(function*() {
    const ago = parseDuration(text)
    if (Option.isSome(ago)) return DateTime.toEpochMillis(DateTime.subtractDuration(yield* DateTime.now, ago.value))
    const at = DateTime.make(text)
    if (Option.isSome(at)) return DateTime.toEpochMillis(at.value)
    return yield* invalidValue(
      `--since takes a time such as 2026-01-31T12:00:00Z, or a duration such as 30m, not '${text}'`
    )
  })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

// A log that somebody changed may hold any number.
const timeOf = ({ at }: AuditEntry) =>
  Option.match(DateTime.make(at), { onNone: () => String(at), onSome: DateTime.formatIso })

/** JSON escapes only the first of the two blocks of control characters. */
const harmless = (text: string) =>
  text.replaceAll(/[\u007F-\u009F]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)

const longestDetails = 200

const wireForm = (entry: AuditEntry) => ({
  sequence: entry.sequence,
  at: timeOf(entry),
  kind: entry.kind,
  agent: entry.agent,
  session_id: entry.sessionId,
  capability: entry.capability,
  tier: entry.tier,
  rule: entry.rule,
  approval_id: entry.approvalId,
  idempotency_key: entry.idempotencyKey,
  details: parsed(entry.details),
  previous_hash: entry.previousHash,
  hash: entry.hash
})

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

const list = Command.make("list", {
  data: dataDirectory,
  agent: optional("agent", "NAME", "Only entries about this agent."),
  capability: optional("capability", "NAME", "Only entries about it; a star stands for any text, as in filesystem.*"),
  since: Options.text("since").pipe(
    Options.withPseudoName("TIME"),
    Options.withDescription(
      "Only entries from this time on, such as 2026-01-31T12:00:00Z, or so long ago, such as 30m."
    ),
    Options.mapEffect(time),
    Options.optional
  ),
  limit: Options.integer("limit").pipe(
    Options.withPseudoName("COUNT"),
    Options.withDescription("How many at most, the newest; 100 if not given."),
    Options.mapEffect((value) =>
      value >= 1 && value <= 100_000 ? Effect.succeed(value) : invalidValue(`--limit takes 1 to 100000, not ${value}`)
    ),
    Options.withDefault(100)
  ),
  json: json("Print the entries as JSON, with all that they say.")
}, ({ agent, capability, data, json, limit, since }) =>
  inspect(data, ({ list }) =>
    Effect.gen(function*() {
      const entries = yield* list({
        agent: Option.getOrUndefined(agent),
        capability: Option.getOrUndefined(capability),
        since: Option.getOrUndefined(since),
        limit
      })
      if (json) return yield* print(harmless(prettyJson(entries.map(wireForm))))
      const rows = [
        ["NUMBER", "TIME", "KIND", "AGENT", "CAPABILITY", "RULE", "APPROVAL", "DETAILS"],
        ...entries.map(row)
      ]
      yield* Effect.forEach(table(rows), (line) => print(line), { discard: true })
    }))).pipe(Command.withDescription("List what agents did and what was decided, the newest last."))

/** `kruxos audit` */
export const audit = Command.make("audit").pipe(
  Command.withDescription("Look into the audit log of a data directory, also while a gateway runs on it."),
  Command.withSubcommands([list, verify])
)
