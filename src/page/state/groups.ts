import type * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import { transactionOf } from "../../local/supervision/transactionOf.js"
import type { Row } from "./Feed.js"

/** A transaction as far as the feed has it. */
export interface TransactionGroup {
  readonly key: string
  readonly id: string
  readonly agent: string | null
  readonly start: SupervisionEvent | undefined
  readonly end: SupervisionEvent | undefined
  /** All else that belongs to it, savepoints too, the oldest first. */
  readonly rows: ReadonlyArray<Row>
}

/** What the feed shows as one thing. */
export type Item = { readonly _tag: "Row"; readonly row: Row } | {
  readonly _tag: "Transaction"
  readonly group: TransactionGroup
}

interface Growing {
  readonly key: string
  readonly id: string
  readonly agent: string | null
  start: SupervisionEvent | undefined
  end: SupervisionEvent | undefined
  readonly rows: Array<Row>
}

/** Puts what belongs to a transaction together, where the newest of it stands. Rows come with the newest first. */
export const grouped = (rows: ReadonlyArray<Row>): ReadonlyArray<Item> => {
  const groups = new Map<string, Growing>()
  const items = rows.flatMap((row): ReadonlyArray<Row | Growing> => {
    const { event } = row
    const transaction = transactionOf(event)
    if (transaction === undefined) return [row]
    // An agent that names the transaction of another is refused, which is no part of that.
    const key = JSON.stringify([event.agent, transaction.root])
    const known = groups.get(key)
    const group = known ??
      { key, id: transaction.root, agent: event.agent, start: undefined, end: undefined, rows: [] }
    if (known === undefined) groups.set(key, group)
    const isOwn = transaction.id === transaction.root
    if (isOwn && event.type === "transaction_started") group.start = event
    else if (isOwn && event.type === "transaction_ended") group.end = event
    else group.rows.push(row)
    return known === undefined ? [group] : []
  })
  for (const { rows } of groups.values()) rows.reverse()
  return items.map((item): Item => "event" in item ? { _tag: "Row", row: item } : { _tag: "Transaction", group: item })
}

const outcomes = new Set(["capability_result", "capability_error", "policy_violation", "rate_limit_hit"])

/** How many steps a transaction had, as far as is known. */
export const stepsOf = ({ end, rows }: TransactionGroup): number => {
  const told = end?.data["steps"]
  return typeof told === "number" ? told : rows.filter(({ event }) => outcomes.has(event.type)).length
}

/** When the newest of it happened. */
export const newestOf = ({ end, rows, start }: TransactionGroup): DateTime.Utc | undefined =>
  [end, rows.at(-1)?.event, start].find((event) => event !== undefined)?.timestamp

/** All that is known of it, in order. */
export const eventsOf = ({ end, rows, start }: TransactionGroup): ReadonlyArray<SupervisionEvent> =>
  [start, ...rows.map(({ event }) => event), end].filter((event) => event !== undefined)
