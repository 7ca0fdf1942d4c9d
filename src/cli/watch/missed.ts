import * as Option from "effect/Option"
import type { Filter } from "../supervisor/eventFeed.js"

const elsewhere = "`kruxos audit list` shows what agents did"

const partsOf = (id: string) => {
  const [, gateway, number] = /^(.*)-(\d+)$/.exec(id) ?? []
  return gateway === undefined ? undefined : { gateway, number: Number(number) }
}

const isFiltered = (filter: Filter) => Object.values(filter).some((value) => value !== undefined)

/** That so many events were not seen. */
export const count = (missed: number, filter: Filter): string =>
  `${isFiltered(filter) ? "Up to " : ""}${missed} ${missed === 1 ? "event was" : "events were"} missed: ${elsewhere}`

/** That what came behind the last event that was seen is no longer to be had, where the newest one is as given. */
export const behind = (last: Option.Option<string>, newest: Option.Option<string>, filter: Filter): string => {
  const seen = partsOf(Option.getOrElse(last, () => ""))
  const now = partsOf(Option.getOrElse(newest, () => ""))
  return seen === undefined || now === undefined || seen.gateway !== now.gateway
    ? `The gateway was started anew, and what happened meanwhile is not shown: ${elsewhere}`
    : count(Math.max(0, now.number - seen.number), filter)
}

/** That nobody knows what was not seen. */
export const unknown = `What happened meanwhile is not shown: ${elsewhere}`
