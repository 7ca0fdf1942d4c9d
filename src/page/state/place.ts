import { makeCell } from "./Cell.js"

/** The views of the page, in their order. */
export const views = [
  { name: "approvals", title: "Approvals" },
  { name: "alerts", title: "Alerts" },
  { name: "activity", title: "Activity" },
  { name: "agents", title: "Agents" },
  { name: "state", title: "State" },
  { name: "health", title: "Health" }
] as const

export type ViewName = typeof views[number]["name"]

/** Where in the page somebody is. */
export interface Place {
  readonly view: ViewName
  /** What of it is shown, such as the name of an agent. */
  readonly detail: ReadonlyArray<string>
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The place that a fragment such as `#/agents/agent-1` names. */
export const placeOf = (fragment: string): Place => {
  const [, name, ...detail] = fragment.split("/")
  return { view: views.find((view) => view.name === name)?.name ?? "approvals", detail: detail.map(decoded) }
}

/** The fragment that names a place. */
export const fragmentOf = (view: ViewName, ...detail: ReadonlyArray<string>): string =>
  ["#", view, ...detail.map(encodeURIComponent)].join("/")

/** The place that is shown. */
export const place = makeCell<Place>(placeOf(location.hash))

/** Goes to a place. */
export const goTo = (view: ViewName, ...detail: ReadonlyArray<string>): void => {
  location.hash = fragmentOf(view, ...detail)
}
