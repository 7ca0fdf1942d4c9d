import { buildPage } from "./buildPage.js"

await buildPage()
