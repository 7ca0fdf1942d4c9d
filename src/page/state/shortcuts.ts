import { makeCell } from "./Cell.js"
import { kept } from "./kept.js"
import { goTo, views } from "./place.js"

/** What single keys do, as it is told. */
export const shortcuts: ReadonlyArray<{ readonly keys: ReadonlyArray<string>; readonly does: string }> = [
  { keys: ["1", "…", "6"], does: "go to a view" },
  { keys: ["j", "k"], does: "next and previous request" },
  { keys: ["a"], does: "approve the request that has the focus" },
  { keys: ["r"], does: "reject it, with a reason" },
  { keys: ["/"], does: "filter" },
  { keys: ["?"], does: "show this" }
]

const memory = kept("shortcuts")

/** Whether single keys do anything. */
export const shortcutsAreOn = makeCell(memory.read() !== "off")

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement

const focusRequest = (step: 1 | -1) => {
  const cards = [...document.querySelectorAll<HTMLElement>("[data-request]")]
  const current = cards.findIndex((card) => card.contains(document.activeElement))
  const next = current === -1 ? (step === 1 ? 0 : cards.length - 1) : current + step
  const card = cards[next]
  card?.focus()
  card?.scrollIntoView({ block: "nearest" })
}

const press = (action: "approve" | "reject") => {
  const card = document.activeElement?.closest("[data-request]")
  const button = card?.querySelector<HTMLButtonElement>(`[data-action=${action}]`)
  button?.focus()
  button?.click()
}

/** Listens to single keys for ever; `showHelp` is called for `?`. */
export const startShortcuts = (showHelp: () => void): () => void => {
  const endMemory = shortcutsAreOn.subscribe(() => memory.write(shortcutsAreOn.get() ? undefined : "off"))
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return
    if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return
    // The help is where the others can be turned on again.
    if (event.key === "?") return showHelp()
    if (!shortcutsAreOn.get()) return
    const view = views[Number(event.key) - 1]
    if (view !== undefined) goTo(view.name)
    else if (event.key === "j") focusRequest(1)
    else if (event.key === "k") focusRequest(-1)
    else if (event.key === "a") press("approve")
    else if (event.key === "r") {
      event.preventDefault()
      press("reject")
    } else if (event.key === "/") {
      event.preventDefault()
      document.querySelector<HTMLElement>("[data-filter]")?.focus()
    }
  }
  document.addEventListener("keydown", pressed)
  return () => {
    endMemory()
    document.removeEventListener("keydown", pressed)
  }
}
