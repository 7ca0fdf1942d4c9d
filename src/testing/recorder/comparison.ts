import * as Predicate from "effect/Predicate"
import { masked } from "../../local/approvals/maskSecrets.js"
import { compare, describeDifferences } from "../script/difference.js"
import { show } from "../script/show.js"

/** What a request asks for, without what is random in it. */
export interface Question {
  readonly method: string
  readonly params: unknown
  readonly progressToken: number | undefined
}

const randomMeta = new Set(["traceparent", "tracestate", "progressToken"])

const without = (value: { readonly [name: string]: unknown }, names: ReadonlySet<string>) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)))

const ofRequest = new Set(["idempotency_key", "_meta"])

/** Reads a request whose params are a JSON value: keys of idempotency, traces and tokens of progress are left out. */
export const questionOf = (method: string, params: unknown): Question => {
  if (!Predicate.isReadonlyRecord(params)) return { method, params, progressToken: undefined }
  const meta = Predicate.isReadonlyRecord(params["_meta"]) ? params["_meta"] : {}
  const rest = without(meta, randomMeta)
  const token = meta["progressToken"]
  return {
    method,
    params: {
      ...without(params, ofRequest),
      ...(Object.keys(rest).length === 0 ? {} : { _meta: rest })
    },
    progressToken: typeof token === "number" ? token : undefined
  }
}

/** The capability that a request invokes, if it is one that invokes. */
export const capabilityOf = ({ method, params }: Pick<Question, "method" | "params">): string | undefined => {
  if (!Predicate.isReadonlyRecord(params)) return undefined
  const name = method === "capabilities.invoke"
    ? params["capability"]
    : method === "tools/call"
    ? params["name"]
    : undefined
  return typeof name === "string" ? name : undefined
}

/** What is asked, in a word or two. */
export const describe = (question: Pick<Question, "method" | "params">): string =>
  capabilityOf(question) ?? question.method

// What was taken out of a text may have been anything.
const fits = (recorded: string, asked: string) =>
  new RegExp(
    `^${recorded.split(masked).map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("[\\s\\S]*")}$`
  ).test(asked)

/** What was recorded, with what is asked now in the places of secrets. */
const filled = (recorded: unknown, asked: unknown): unknown => {
  if (typeof recorded === "string") {
    return typeof asked === "string" && recorded.includes(masked) && fits(recorded, asked) ? asked : recorded
  }
  if (Array.isArray(recorded)) {
    return Array.isArray(asked) ? recorded.map((item, index) => filled(item, asked[index])) : recorded
  }
  if (!Predicate.isReadonlyRecord(recorded) || !Predicate.isReadonlyRecord(asked)) return recorded
  return Object.fromEntries(Object.entries(recorded).map(([name, inner]) => [name, filled(inner, asked[name])]))
}

/** Where what is asked is not what was recorded. */
export const differences = (recorded: unknown, asked: unknown) => compare(filled(recorded, asked), asked)

/** The same for a human; empty where they are equal. */
export const difference = (recorded: unknown, asked: unknown): string =>
  describeDifferences(differences(recorded, asked))

const argumentsOf = ({ method, params }: Pick<Question, "method" | "params">): unknown =>
  capabilityOf({ method, params }) !== undefined && Predicate.isReadonlyRecord(params) ? params["arguments"] : params

/** What is asked, with its arguments. */
export const describeWhole = (question: Pick<Question, "method" | "params">): string =>
  `${describe(question)} ${show(argumentsOf(question) ?? {})}`
