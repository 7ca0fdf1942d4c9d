import * as Effect from "effect/Effect"
import { access } from "node:fs/promises"
import { join } from "node:path"
import type { PolicyChoice } from "../policy/PolicyChoice.js"
import { defaultTemplate } from "../policy/templates.js"

const isThere = (file: string) => Effect.isSuccess(Effect.tryPromise(() => access(file)))

/** What the policy of the organization is called: a template, `allow-all`, or the file that it is in now. */
export const policyName = (
  choice: PolicyChoice | undefined,
  dataDirectory: string | undefined
): Effect.Effect<string> => {
  if (choice !== undefined) return Effect.succeed(typeof choice === "string" ? choice : choice.file)
  if (dataDirectory === undefined) return Effect.succeed(defaultTemplate)
  return Effect.findFirst(
    ["organization.yaml", "organization.yml"].map((name) => join(dataDirectory, "policies", name)),
    isThere
  ).pipe(Effect.map((file) => file._tag === "Some" ? file.value : defaultTemplate))
}
