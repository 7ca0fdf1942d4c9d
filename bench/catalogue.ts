import { bundling } from "./bundling.js"
import { decoding } from "./decoding.js"
import { importing } from "./importing.js"
import { markdownOf, type Section } from "./measurement.js"
import { typeChecking } from "./typeChecking.js"

const sections: ReadonlyArray<Section> = [decoding(), await importing(), await bundling(), typeChecking()]

process.stdout.write(
  process.argv.includes("--json")
    ? `${JSON.stringify({ node: process.version, sections }, null, 2)}\n`
    : `${sections.map(markdownOf).join("\n\n")}\n`
)
