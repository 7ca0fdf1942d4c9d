import { runTable } from "./suite.js"
import { tables } from "./tables.js"

runTable(tables.agent)
