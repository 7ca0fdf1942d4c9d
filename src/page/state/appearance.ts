import { makeCell } from "./Cell.js"
import { kept } from "./kept.js"

/** How the page looks: as the system says, or light or dark whatever it says. */
export type Appearance = "system" | "light" | "dark"

const memory = kept("appearance")

const known = (text: string | undefined): Appearance => text === "light" || text === "dark" ? text : "system"

/** How the page looks. */
export const appearance = makeCell<Appearance>(known(memory.read()))

const apply = () => {
  const value = appearance.get()
  if (value === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = value
}

/** Makes the page look as it was last told to in this tab. */
export const startAppearance = (): void => {
  apply()
  appearance.subscribe(() => {
    apply()
    memory.write(appearance.get())
  })
}
