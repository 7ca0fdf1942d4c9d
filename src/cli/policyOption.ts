import * as Options from "@effect/cli/Options"
import type * as Option from "effect/Option"
import type { PolicyChoice } from "../local/policy/PolicyChoice.js"
import { isTemplateName, templateNames } from "../local/policy/templates.js"

const choiceOf = (text: string): PolicyChoice => isTemplateName(text) ? text : { file: text }

/** `--policy` */
export const policyOption: Options.Options<Option.Option<PolicyChoice>> = Options.text("policy").pipe(
  Options.withPseudoName("FILE|TEMPLATE"),
  Options.withDescription(
    `What the organization allows: a file, or ${templateNames.slice(0, -1).join(", ")} or ${templateNames.at(-1)}. `
      + "If not given, policies/organization.yaml of the data, or team-moderate where there is none."
  ),
  Options.map(choiceOf),
  Options.optional
)
