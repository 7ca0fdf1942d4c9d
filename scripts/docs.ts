import { writeFileSync } from "node:fs"
import { capabilityReference } from "./capabilityReference.js"

writeFileSync(new URL("../docs/capabilities.md", import.meta.url), capabilityReference())
