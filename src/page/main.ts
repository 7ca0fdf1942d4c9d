import { h, render } from "preact"
import { startAppearance } from "./state/appearance.js"
import { place, placeOf } from "./state/place.js"
import { signIn, startSession } from "./state/session.js"
import { takeToken } from "./state/token.js"
import { Page } from "./views/shell/Page.js"

startAppearance()
startSession()
place.set(placeOf(location.hash))
addEventListener("hashchange", () => {
  const token = takeToken()
  if (token !== undefined) signIn(token)
  place.set(placeOf(location.hash))
})

const root = document.getElementById("page")
if (root !== null) render(h(Page, {}), root)
