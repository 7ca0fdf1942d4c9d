import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as fs from "node:fs/promises"
import { isAbsolute, join, relative, resolve, sep } from "node:path"
import type { AnyCapability } from "../../catalogue/Capability.js"
import * as Egress from "../egress/Egress.js"
import { type HostPattern, parse as parseHostPattern } from "../egress/HostPattern.js"
import { scopedService } from "../inOrder.js"
import type { Agent } from "../store/Agents.js"
import { dataFolder } from "../workspace/pathForm.js"
import { templateLayer } from "./compile.js"
import { decide } from "./decide.js"
import { type InvalidPolicy, wholeFile } from "./InvalidPolicy.js"
import type { Layer as PolicyOfLayer } from "./Layer.js"
import type { Policies } from "./Policies.js"
import { allowAll, Policy, type PolicyService } from "./Policy.js"
import type { PolicyChoice } from "./PolicyChoice.js"
import * as PolicySource from "./PolicySource.js"
import * as RateCounters from "./RateCounters.js"
import { defaultTemplate, type TemplateName, templates } from "./templates.js"
import { layerOfRules } from "./TierRules.js"
import { visibleRules } from "./visibleRules.js"

/** Where a gateway's policies are, and what they are about. */
export interface PolicyOptions {
  readonly choice: PolicyChoice | undefined
  /** The directory of the gateway's data, where it has one; policies are in its folder `policies`. */
  readonly dataDirectory: string | undefined
  readonly capabilities: ReadonlyArray<AnyCapability>
  /** Hosts that agents may reach besides those of the organization's file, as patterns of `network.allow`. */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
}

/** Decides by the policies of a source. */
export const fromSource = (
  { current, onReload }: PolicySource.PolicySource,
  capabilities: ReadonlyArray<AnyCapability>
): PolicyService => {
  const counters = RateCounters.make()
  const shownTo = ({ name }: Agent, policies: Policies) =>
    capabilities.map((capability) => policies.of(name, capability).listedTier).join()
  return {
    decide: ({ name }, capability, input, now) => decide(current(), { agent: name, capability, input, now }, counters),
    count: ({ name }, capability, now) => {
      for (const { entry } of current().of(name, capability).parts) {
        if (entry?.rateLimit !== undefined) counters.count(name, entry.rateLimit, now)
      }
    },
    listedTier: ({ name }, capability) => current().of(name, capability).listedTier,
    mayRequireApproval: ({ name }, capability) => current().of(name, capability).mayRequireApproval,
    rules: ({ name }) => visibleRules(current(), name, capabilities),
    defaultTier: ({ name }) => current().defaultTier(name),
    egress: ({ name }) => current().egress(name),
    onChange: (agent, listener) => {
      let before = current()
      return onReload(() => {
        const now = current()
        const isOther = shownTo(agent, now) !== shownTo(agent, before)
        before = now
        if (isOther) listener()
      })
    }
  }
}

const ofTemplate = (name: TemplateName) => templateLayer(templates[name], "organization")

const organizationOf = (choice: PolicyChoice | undefined): Either.Either<PolicyOfLayer, InvalidPolicy> => {
  if (typeof choice === "object" && (!("file" in choice) || "tiers" in choice)) return layerOfRules(choice)
  return Either.right(ofTemplate(typeof choice === "string" && choice !== "allow-all" ? choice : defaultTemplate))
}

/** What a choice comes to: where to look, and what holds where nothing is found. */
export const sourceOptions = (
  { capabilities, choice, dataDirectory }: PolicyOptions
): Either.Either<PolicySource.PolicySourceOptions, InvalidPolicy> =>
  Either.map(organizationOf(choice), (organization) => ({
    directory: dataDirectory === undefined ? undefined : join(dataDirectory, "policies"),
    organizationFile: typeof choice === "object" && "file" in choice ? resolve(choice.file) : undefined,
    hasOrganizationFile: choice === undefined,
    organization,
    capabilities: capabilities.map(({ name }) => name)
  }))

const realPathOf = (path: string): Effect.Effect<string> =>
  Effect.orElseSucceed(Effect.tryPromise(() => fs.realpath(path)), () => resolve(path))

/** That a policy is not where agents could write it. */
const checkPlace = (file: string, workspace: string): Effect.Effect<void, InvalidPolicy> =>
  Effect.gen(function*() {
    const below = relative(yield* realPathOf(workspace), yield* realPathOf(file))
    const isInside = below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below)
    if (isInside && below.split(sep)[0] !== dataFolder) {
      return yield* wholeFile(file, "it is in the workspace, where agents could change it: keep it elsewhere")
    }
  })

const warnOfUnusedFile = ({ directory, hasOrganizationFile }: PolicySource.PolicySourceOptions) => {
  const file = directory === undefined || hasOrganizationFile ? undefined : join(directory, "organization.yaml")
  if (file === undefined) return Effect.void
  return Effect.tryPromise(() => fs.access(file)).pipe(
    Effect.zipRight(Effect.logWarning(`${file} is not used: the gateway was given another policy`)),
    Effect.ignore
  )
}

const readHosts = (
  { allowedHosts = [] }: PolicyOptions
): Effect.Effect<ReadonlyArray<HostPattern>, InvalidPolicy> =>
  Effect.forEach(
    allowedHosts,
    (text) => Either.mapLeft(parseHostPattern(text), (what) => wholeFile("allowed hosts", what))
  )

// What it allows is what happens on this machine: where data may go has to be said all the same.
const allowAllAnd = (hosts: ReadonlyArray<HostPattern>): PolicyService => {
  const egress = Egress.make([{ rule: "allow-all:network.allow", patterns: hosts }])
  return { ...allowAll, egress: () => egress }
}

/** The policy of a gateway that serves a workspace; with files it follows what becomes of them. */
export const layer = (
  options: PolicyOptions & { readonly workspace: string }
): Layer.Layer<Policy, InvalidPolicy> => {
  const { capabilities, choice, workspace } = options
  if (choice === "allow-all") {
    return Layer.effect(
      Policy,
      Effect.map(readHosts(options), allowAllAnd).pipe(
        Effect.zipLeft(Effect.logWarning("allow-all: every capability of every tier runs without asking a human"))
      )
    )
  }
  return scopedService(
    Policy,
    Effect.gen(function*() {
      const source = { ...yield* sourceOptions(options), hosts: yield* readHosts(options) }
      if (source.organizationFile !== undefined) yield* checkPlace(source.organizationFile, workspace)
      yield* warnOfUnusedFile(source)
      return fromSource(yield* PolicySource.make(source), capabilities)
    })
  )
}
