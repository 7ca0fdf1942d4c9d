import * as Either from "effect/Either"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import { type HostPattern, parse as parseHostPattern } from "../egress/HostPattern.js"
import { placeOf } from "./conditions.js"
import type { PolicyDocument } from "./document.js"
import { conditionOf, conditionPath, gather, type Gathered, type WrittenRule } from "./gather.js"
import type { DocumentIssue, DocumentPath } from "./issues.js"
import type { Condition, Entry, Layer, LayerName, RateLimit, Verdict } from "./Layer.js"
import { blockedByTemplates, defaultTemplate, type Template, templates } from "./templates.js"

/** What a file is for. */
export interface FileRole {
  readonly layer: LayerName
  /** The agent whose file it is; any, where it is not given. */
  readonly agent?: string | undefined
}

/** The role of a file, its name, and where in it things stand. */
export interface Compiling extends FileRole {
  readonly file: string
  readonly lineOf: (path: DocumentPath) => number
}

const templateEntries = (layer: LayerName): ReadonlyArray<Entry> =>
  blockedByTemplates.map(({ capability, reason }) => ({
    pattern: capability,
    rules: [],
    otherwise: { tier: "blocked", rule: `${layer}:${capability}`, reason, layer, line: 0 },
    rateLimit: undefined,
    line: 0
  }))

const byPattern = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, Entry> =>
  new Map(entries.map((entry) => [entry.pattern, entry]))

/** A template as a layer. */
export const templateLayer = (template: Template, layer: LayerName): Layer => ({
  layer,
  file: undefined,
  entries: byPattern(templateEntries(layer)),
  defaults: undefined,
  template,
  allowedHosts: undefined
})

const agentIssue = (named: string | undefined, { agent, layer }: FileRole): ReadonlyArray<DocumentIssue> => {
  if (named === undefined) return []
  const path = ["agent"]
  if (layer !== "agent") {
    return [{ path, key: true, message: "agent is for the file of one agent: this one is for all" }]
  }
  return agent === undefined || named.toLowerCase() === agent.toLowerCase()
    ? []
    : [{ path, message: `by its name this file is for agent ${agent}, not for ${named.slice(0, 64)}` }]
}

const readHosts = ({ network }: PolicyDocument) => {
  const hosts: Array<HostPattern> = []
  const issues: Array<DocumentIssue> = []
  for (const [index, text] of (network?.allow ?? []).entries()) {
    Either.match(parseHostPattern(text), {
      onLeft: (message) => issues.push({ path: ["network", "allow", index], message }),
      onRight: (pattern) => hosts.push(pattern)
    })
  }
  return { allowedHosts: network === undefined ? undefined : hosts, issues }
}

const prefixIssues = ({ gathered }: ReturnType<typeof gather>): ReadonlyArray<DocumentIssue> =>
  [...gathered.values()].flatMap(({ rules }) => rules).flatMap((rule) => {
    const prefix = conditionOf(rule)?.path_prefix
    return prefix === undefined || placeOf(prefix) !== undefined ? [] : [{
      path: [...conditionPath(rule), "path_prefix"],
      message: `${JSON.stringify(prefix.slice(0, 100))} is no path that agents can use: write one below /workspace`
    }]
  })

const conditionFrom = (rule: WrittenRule): Condition => {
  const { content_size_gte, content_size_lt, path_prefix } = conditionOf(rule) ?? {}
  return {
    sizeBelow: content_size_lt,
    sizeFrom: content_size_gte,
    pathPrefix: placeOf(path_prefix)
  }
}

/** Makes a layer of a document, or says what is wrong with it. */
export const compile = (
  document: PolicyDocument,
  { agent, file, layer, lineOf }: Compiling
): Either.Either<Layer, ReadonlyArray<DocumentIssue>> => {
  const all = gather(document, lineOf)
  const hosts = readHosts(document)
  const issues = [
    ...agentIssue(document.agent, { layer, agent }),
    ...all.issues,
    ...prefixIssues(all),
    ...hosts.issues
  ]
  if (issues.length > 0) return Either.left(issues)

  const verdict = (rule: string, path: DocumentPath, tier: PermissionTier, reason: string | undefined): Verdict => ({
    tier,
    rule: `${layer}:${rule}`,
    reason,
    layer,
    line: lineOf(path)
  })

  const limitOf = (pattern: string, { limit, path }: Gathered): RateLimit | undefined => {
    if (limit === undefined) return undefined
    const { max, on_exceed, window: windowSeconds } = limit
    const rule = `${pattern}.rate_limit`
    const place = [...path, "rate_limit"]
    return {
      rule: `${layer}:${rule}`,
      max,
      windowSeconds,
      onExceed: on_exceed === undefined
        ? undefined
        : verdict(rule, place, on_exceed, `more than ${max} in ${windowSeconds} seconds`),
      line: lineOf(place)
    }
  }

  const entries = [...all.gathered].map(([pattern, one]): Entry => ({
    pattern,
    rules: one.rules.map((rule, index) => ({
      condition: conditionFrom(rule),
      verdict: verdict(`${pattern}[${index + 1}]`, rule.path, rule.tier, rule.reason ?? one.reason)
    })),
    otherwise: one.otherwise === undefined
      ? undefined
      : verdict(pattern, one.otherwise.path, one.otherwise.tier, one.otherwise.reason ?? one.reason),
    rateLimit: limitOf(pattern, one),
    line: lineOf(one.path)
  }))

  // An organization that does not say what it starts from starts from the default; the other layers only add to it.
  const extended = document.extends ?? (layer === "organization" ? defaultTemplate : undefined)
  const { defaults } = document
  return Either.right({
    layer,
    file,
    entries: byPattern([...(extended === undefined ? [] : templateEntries(layer)), ...entries]),
    defaults: defaults === undefined
      ? undefined
      : verdict("defaults", ["defaults", "tier"], defaults.tier, defaults.reason),
    template: extended === undefined ? undefined : templates[extended],
    allowedHosts: hosts.allowedHosts
  })
}
