import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Explanation, LayerExplanation } from "../local/policy/explainPolicy.js"
import { formatProblem, type InvalidPolicy } from "../local/policy/InvalidPolicy.js"
import { failed, usageFailed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { dataDirectory, json } from "./options.js"
import { policyOption } from "./policyOption.js"
import { print, printError } from "./print.js"
import { oneLine, prettyJson, table } from "./text.js"

const explainInvalid = ({ problems }: InvalidPolicy) =>
  failed(problems.map((problem) => oneLine(formatProblem(problem))).join("\n"))

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`

const check = Command.make(
  "check",
  { file: Args.text({ name: "file" }).pipe(Args.withDescription("The policy file.")) },
  ({ file }) =>
    Effect.gen(function*() {
      const { checkPolicy } = yield* loadLocal(() => import("../local/policy/checkPolicy.js"))
      const { conditions, patterns, rateLimits, warnings } = yield* Effect.mapError(checkPolicy(file), explainInvalid)
      for (const { line, message } of warnings) yield* printError(oneLine(`${file}:${line}: warning: ${message}`))
      const parts = [
        counted(patterns, "pattern"),
        `${counted(conditions, "rule")} with a condition`,
        counted(rateLimits, "rate limit")
      ]
      yield* print(`${oneLine(file)}: ok: ${parts.join(", ")}`)
    })
).pipe(Command.withDescription("Say whether a policy file is good, or what is wrong in which line."))

const Input = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const placeOf = (file: string | undefined, line: number) =>
  file === undefined ? "-" : `${file}${line === 0 ? "" : `:${line}`}`

const row = ({ file, layer, rateLimit, verdict }: LayerExplanation) => [
  layer,
  verdict?.tier ?? "-",
  verdict?.rule ?? "-",
  rateLimit === undefined
    ? "-"
    : `${rateLimit.max} in ${rateLimit.windowSeconds} s, then ${rateLimit.onExceed?.tier ?? "RateLimited"}`,
  placeOf(file, verdict?.line ?? 0),
  verdict?.reason ?? "-"
]

const linesOf = ({ decision: { reason, rule, tier }, layers }: Explanation): ReadonlyArray<string> => [
  `Tier:   ${tier}`,
  `Rule:   ${oneLine(rule)}`,
  ...(reason === undefined ? [] : [`Reason: ${oneLine(reason)}`]),
  "",
  ...table([["LAYER", "TIER", "RULE", "RATE LIMIT", "FILE", "REASON"], ...layers.map(row)])
]

const wireForm = ({ decision, layers }: Explanation) => ({
  tier: decision.tier,
  rule: decision.rule,
  reason: decision.reason ?? null,
  layer: decision.layer ?? null,
  layers: layers.map(({ file, layer, rateLimit, verdict }) => ({
    layer,
    file: file ?? null,
    line: verdict === undefined || verdict.line === 0 ? null : verdict.line,
    tier: verdict?.tier ?? null,
    rule: verdict?.rule ?? null,
    reason: verdict?.reason ?? null,
    rate_limit: rateLimit === undefined
      ? null
      : { max: rateLimit.max, window: rateLimit.windowSeconds, on_exceed: rateLimit.onExceed?.tier ?? null }
  }))
})

const explain = Command.make(
  "explain",
  {
    agent: Options.text("agent").pipe(
      Options.withPseudoName("NAME"),
      Options.withDescription("The agent that would invoke; it need not be there.")
    ),
    capability: Options.text("capability").pipe(
      Options.withPseudoName("NAME"),
      Options.withDescription("The capability, such as filesystem.write.")
    ),
    input: Options.text("input").pipe(
      Options.withPseudoName("JSON"),
      Options.withDescription(
        "Its arguments, as a JSON object. What they leave out cannot be told, and the strictest holds."
      ),
      Options.withDefault("{}")
    ),
    data: dataDirectory,
    policy: policyOption,
    json: json("Print the explanation as JSON.")
  },
  ({ agent, capability, data, input, json, policy }) =>
    Effect.gen(function*() {
      const decoded = yield* Effect.mapError(
        Schema.decode(Input)(input),
        () => usageFailed("--input takes a JSON object, such as '{\"path\": \"/workspace/a.txt\"}'")
      )
      const { explainPolicy } = yield* loadLocal(() => import("../local/policy/explainPolicy.js"))
      const explanation = yield* explainPolicy({
        agent,
        capability,
        input: decoded,
        dataDirectory: data,
        policy: Option.getOrUndefined(policy)
      }).pipe(
        Effect.catchTags({
          InvalidPolicy: (error) => explainInvalid(error),
          UnknownCapability: ({ message }) => failed(oneLine(message))
        })
      )
      if (json) return yield* print(prettyJson(wireForm(explanation)))
      yield* Effect.forEach(linesOf(explanation), (line) => print(line), { discard: true })
    })
).pipe(Command.withDescription("Say what the policies make of an invocation, and which rule decides."))

/** `kruxos policy` */
export const policy = Command.make("policy").pipe(
  Command.withDescription("Check policy files, and see what they come to."),
  Command.withSubcommands([check, explain])
)
