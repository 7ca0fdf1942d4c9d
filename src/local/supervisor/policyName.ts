import * as Effect from "effect/Effect"
import { access } from "node:fs/promises"
import { join } from "node:path"
import type { PolicyChoice } from "../policy/PolicyChoice.js"
import { defaultTemplate } from "../policy/templates.js"

// Tiers that the program has given.
const ofProgram = `${defaultTemplate}, with rules of the program`

const isThere = (file: string) => Effect.isSuccess(Effect.tryPromise(() => access(file)))

/** What the policy of the organization is called: a template, `allow-all`, the file that it is in now, or that it has no name. */
export const policyName = (
  choice: PolicyChoice | undefined,
  dataDirectory: string | undefined
): Effect.Effect<string> => {
  if (typeof choice === "string") return Effect.succeed(choice)
  if (choice !== undefined) return Effect.succeed("file" in choice ? choice.file : ofProgram)
  if (dataDirectory === undefined) return Effect.succeed(defaultTemplate)
  return Effect.findFirst(
    ["organization.yaml", "organization.yml"].map((name) => join(dataDirectory, "policies", name)),
    isThere
  ).pipe(Effect.map((file) => file._tag === "Some" ? file.value : defaultTemplate))
}
