import * as Effect from "effect/Effect"
import { belowRoot, maximumLinks, readLink, type Root, withEntry } from "./descend.js"
import type { KeptFiles } from "./KeptFiles.js"
import { fromSegments, isReserved, outOfScope } from "./pathForm.js"
import { type Subject, systemFailure, unusable } from "./systemFailure.js"

const linkAt = (root: Root, segments: ReadonlyArray<string>) => {
  const subject: Subject = { path: fromSegments(segments), operation: "look at", field: "path" }
  return withEntry(root, subject, { last: "itself" }, ({ directory, name }) =>
    Effect.catchAll(
      Effect.try({ try: () => readLink(directory.at(name)), catch: (cause) => cause }),
      systemFailure(subject)
    )).pipe(Effect.catchTag("NotThere", () => Effect.succeed(undefined)))
}

const isPlain = (name: string) => name !== "" && name !== "."

/** Only names are worked out here; whatever uses them goes down from the root anew. */
export const placeOf = (root: Root): KeptFiles["placeOf"] => (path, { last }) =>
  Effect.gen(function*() {
    // An error takes longer to make than all else here.
    const refused = () => outOfScope(path.display)
    const rest = path.segments.filter(isPlain).reverse()
    let found: Array<string> = []
    let links = 0
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === "..") {
        if (found.pop() === undefined) return yield* refused()
        continue
      }
      if (found.length === 0 && isReserved(name)) return yield* refused()
      const target = rest.length === 0 && last === "itself" ? undefined : yield* linkAt(root, [...found, name])
      if (target === undefined) {
        found.push(name)
        continue
      }
      links += 1
      if (links > maximumLinks) {
        return yield* unusable({ path, operation: "look at", field: "path" }, "leads through too many symbolic links")
      }
      const followed = target.startsWith("/") ? belowRoot(target, root) : target
      if (followed === undefined) return yield* refused()
      if (target.startsWith("/")) found = []
      rest.push(...followed.split("/").filter(isPlain).reverse())
    }
    return fromSegments(found)
  })
