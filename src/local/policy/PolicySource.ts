import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { holding } from "../../connection/untilClose.js"
import type { HostPattern } from "../egress/HostPattern.js"
import { formatProblem, InvalidPolicy, wholeFile } from "./InvalidPolicy.js"
import type { Layer } from "./Layer.js"
import { join, type Policies } from "./Policies.js"
import { absent, look, type PolicyPlaces, readLayer, type Seen, signatureOf, watchedPaths } from "./policyFiles.js"
import { unusedPatterns } from "./unusedPatterns.js"
import { watchFiles } from "./watchFiles.js"

/** How often policy files are looked at, and for how long one has to stay as it is before it is read. */
export class PolicyInterval extends Context.Reference<PolicyInterval>()("kruxos/local/PolicyInterval", {
  defaultValue: () => ({ every: Duration.seconds(1), settled: Duration.millis(100) })
}) {}

/** What policies are made of. */
export interface PolicySourceOptions extends PolicyPlaces {
  /** What the organization says where no file is. */
  readonly organization: Layer
  /** The names of the capabilities that there are. */
  readonly capabilities: ReadonlyArray<string>
  /** Hosts that the organization allows besides those of its file. */
  readonly hosts?: ReadonlyArray<HostPattern> | undefined
}

/** The policies that hold, and who is called whenever they become others. */
export interface PolicySource {
  readonly current: () => Policies
  readonly onReload: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
}

/** A file, the state in which it was last read, and the last good policy that it held. */
interface Kept extends Seen {
  readonly policy: Layer | undefined
}

type KeptFiles = ReadonlyMap<string, Kept>

const isNamed = ({ organizationFile }: PolicyPlaces, { file }: Pick<Seen, "file">) => file === organizationFile

const read = (options: PolicySourceOptions, seen: Seen): Effect.Effect<Layer | undefined, InvalidPolicy> =>
  seen.signature === absent && !isNamed(options, seen)
    ? Effect.succeed(undefined)
    : readLayer(seen, isNamed(options, seen))

const warnOfUnused = ({ capabilities }: PolicySourceOptions, file: string, layer: Layer | undefined) =>
  Effect.forEach(
    layer === undefined ? [] : unusedPatterns(layer, capabilities),
    ({ line, message }) => Effect.logWarning(`${line === 0 ? file : `${file}:${line}`}: ${message}`),
    { discard: true }
  )

const agentOf = ({ role }: Seen): string | undefined => role.agent?.toLowerCase()

const sameAgent = (seen: Seen, others: Iterable<Kept>): InvalidPolicy | undefined => {
  for (const other of others) {
    if (other.file === seen.file || other.policy === undefined) continue
    if (agentOf(seen) !== undefined && agentOf(other) === agentOf(seen)) {
      return wholeFile(seen.file, `${other.file} is for the same agent: names that differ only in case are the same`)
    }
  }
  return undefined
}

const joined = (kept: KeptFiles, { hosts = [], organization: otherwise }: PolicySourceOptions): Policies => {
  const layers = [...kept.values()].flatMap((one) => one.policy === undefined ? [] : [{ ...one, policy: one.policy }])
  const organization = layers.find(({ role }) => role.layer === "organization")?.policy
    ?? otherwise
  return join({
    system: layers.find(({ role }) => role.layer === "system")?.policy,
    organization: { ...organization, allowedHosts: [...organization.allowedHosts ?? [], ...hosts] },
    agents: new Map(layers.flatMap((one) => {
      const agent = agentOf(one)
      return agent === undefined ? [] : [[agent, one.policy] as const]
    }))
  })
}

/** Reads all policies that there are now. */
const readAll = (options: PolicySourceOptions): Effect.Effect<KeptFiles, InvalidPolicy> =>
  Effect.gen(function*() {
    const kept = new Map<string, Kept>()
    const problems: Array<InvalidPolicy> = []
    for (const seen of yield* look(options)) {
      const conflict = sameAgent(seen, kept.values())
      const result = conflict === undefined ? yield* Effect.either(read(options, seen)) : Either.left(conflict)
      if (Either.isLeft(result)) problems.push(result.left)
      else kept.set(seen.file, { ...seen, policy: result.right })
    }
    const [first, ...others] = problems.flatMap((one) => one.problems)
    return first === undefined ? kept : yield* new InvalidPolicy({ problems: [first, ...others] })
  })

/** Reads all policies that there are now, once. */
export const load = (options: PolicySourceOptions): Effect.Effect<Policies, InvalidPolicy> =>
  Effect.map(readAll(options), (kept) => joined(kept, options))

/**
 * Reads all policies, and reads again what changes, appears or vanishes, until the scope ends. A file that is broken by then is
 * logged, and what it said before goes on holding. Fails with InvalidPolicy where one is broken at the start.
 */
export const make = (
  options: PolicySourceOptions
): Effect.Effect<PolicySource, InvalidPolicy, Scope.Scope> =>
  Effect.gen(function*() {
    const { every, settled } = yield* PolicyInterval
    const listeners = new Set<() => void>()
    const kept = new Map(yield* readAll(options))
    let policies = joined(kept, options)
    // The state in which a file was found last: it is read once it is found in it twice.
    const pending = new Map<string, string>()
    let unlisted = ""

    for (const { file, policy } of kept.values()) yield* warnOfUnused(options, file, policy)
    if (options.organization.file !== undefined) {
      yield* warnOfUnused(options, options.organization.file, options.organization)
    }

    const isSettled = ({ file, signature }: Seen): boolean => {
      if (kept.get(file)?.signature === signature) {
        pending.delete(file)
        return false
      }
      const isSame = pending.get(file) === signature
      if (!isSame) pending.set(file, signature)
      return isSame
    }

    const reread = (seen: Seen) =>
      Effect.gen(function*() {
        const before = kept.get(seen.file)?.policy
        const conflict = sameAgent(seen, kept.values())
        const result = conflict === undefined ? yield* Effect.either(read(options, seen)) : Either.left(conflict)
        const signature = yield* signatureOf(seen.file)
        if (signature !== seen.signature) {
          // It was written while it was read.
          pending.set(seen.file, signature)
          return
        }
        pending.delete(seen.file)
        if (Either.isLeft(result)) {
          kept.set(seen.file, { ...seen, policy: before })
          const held = before === undefined ? "it is not in force" : "what it said before stays in force"
          yield* Effect.forEach(
            result.left.problems,
            (problem) => Effect.logError(`${formatProblem(problem)}; ${held}`),
            { discard: true }
          )
          return
        }
        const policy = result.right
        if (policy === undefined && seen.role.agent !== undefined) kept.delete(seen.file)
        else kept.set(seen.file, { ...seen, policy })
        if (policy === undefined && before === undefined) return
        policies = joined(kept, options)
        yield* Effect.logInfo(
          policy === undefined ? `${seen.file} is gone, and holds no more` : `${seen.file} is in force`
        )
        yield* warnOfUnused(options, seen.file, policy)
        for (const listener of listeners) listener()
      })

    const changed = yield* Queue.sliding<void>(1)
    const setWatched = yield* watchFiles(Duration.toMillis(every), () => changed.unsafeOffer(undefined))

    const lookAgain = Effect.gen(function*() {
      const found = yield* look(options)
      setWatched(watchedPaths(options, found))
      unlisted = ""
      const files = new Set(found.map(({ file }) => file))
      const gone = [...kept.values()].filter(({ file }) => !files.has(file))
      const seen = [...found, ...gone.map((one): Seen => ({ ...one, signature: absent }))]
      for (const file of pending.keys()) if (!seen.some((one) => one.file === file)) pending.delete(file)
      yield* Effect.forEach(seen.filter(isSettled), reread, { discard: true })
    }).pipe(
      Effect.catchAll((cause) => {
        const isNew = cause.message !== unlisted
        unlisted = cause.message
        return isNew ? Effect.logError(`${cause.message}; what held before stays in force`) : Effect.void
      }),
      Effect.catchAllDefect((defect) => Effect.logError("The policies could not be read again", defect))
    )

    const follow = lookAgain.pipe(
      Effect.zipRight(Effect.suspend(() => pending.size > 0 ? Effect.sleep(settled) : Effect.void)),
      Effect.repeat({ while: () => pending.size > 0 })
    )

    yield* lookAgain
    // What changed between that look and the first of the system's own is seen by another one.
    yield* Effect.forkScoped(Effect.delay(Queue.offer(changed, undefined), Duration.times(every, 2)))
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(changed), follow)))

    const source: PolicySource = { current: () => policies, onReload: (listener) => holding(listeners, listener) }
    return source
  })
