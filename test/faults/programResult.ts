import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type GatewayServices, State } from "kruxos"
import type { KruxosError } from "kruxos/errors"
import * as fs from "node:fs"
import { basename, join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { keptSince } from "../../src/local/transactions/undo/keptNames.js"
import { isTemporaryName } from "../../src/local/workspace/publish.js"
import type { GatewayProcess } from "../support/gatewayProcess.js"
import { at, listAt } from "../support/json.js"
import { asSupervisor } from "../support/supervisor.js"

/** A key of the shared state without the name of its book; of what may be written again, without a version. */
interface SharedValue {
  readonly name: string
  readonly value: unknown
  readonly version: number | undefined
}

/** What a program leaves behind; the same, whatever disturbed it. */
export interface Result {
  /** What is in each file of the workspace. */
  readonly files: { readonly [path: string]: string }
  /** What agents have deleted, whose files have names of their own. */
  readonly trash: ReadonlyArray<string>
  readonly persistent: ReadonlyArray<unknown>
  readonly shared: ReadonlyArray<SharedValue>
  readonly session: ReadonlyArray<unknown>
  /** Of what was approved and carried out outside of transactions, the capabilities. */
  readonly approved: ReadonlyArray<unknown>
  /** What its watch has told last. */
  readonly followed: ReadonlyArray<unknown>
}

export const byName = (one: { readonly name: string }, other: { readonly name: string }) =>
  one.name < other.name ? -1 : 1

const trashFolder = ".kruxos-trash"

const filesIn = (folder: string): ReadonlyArray<readonly [string, string]> =>
  fs.readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .flatMap((entry): ReadonlyArray<readonly [string, string]> => {
      const path = join(entry.parentPath, entry.name)
      return entry.isDirectory() ? [] : [[path.slice(folder.length + 1), fs.readFileSync(path, "utf8")]]
    })
    .toSorted(([one], [other]) => one < other ? -1 : 1)

const isTrash = ([path]: readonly [string, string]) => path.startsWith(`${trashFolder}/`)

// What a killed gateway was writing, or had kept to undo it, is swept when it is an hour and a day old.
const isLeft = ([path]: readonly [string, string]) =>
  isTemporaryName(basename(path)) || keptSince(basename(path)) !== undefined

// Written again when nobody knows whether it was, so that its versions tell nothing.
const repeated = "lines"

const sharedState = (book: string) =>
  Effect.gen(function*() {
    const { shared } = yield* State
    const keys = yield* shared.list(`${book}.`)
    const entries = yield* Effect.forEach(keys, ({ key }) => shared.get(key))
    return entries.flatMap(Option.toArray).map(({ key, value, version }) => {
      const name = key.slice(book.length + 1)
      return { name, value, version: name === repeated ? undefined : version }
    }).toSorted(byName)
  })

// What was approved in a transaction that was rolled back later has to be approved again.
const approvedOf = (gateway: GatewayProcess, agent: string) =>
  Effect.map(asSupervisor(gateway, "/approvals?status=approved&limit=1000"), ({ body }) =>
    listAt(body, "approvals")
      .filter((item) => at(item, "agent") === agent && at(item, "transaction_id") === undefined)
      .map((item) => at(item, "capability")))

// A machine that is busy with other things may lose a connection by itself.
const lookAgain = <A, E extends KruxosError, R>(self: Effect.Effect<A, E, R>) =>
  Effect.retry(self, {
    while: ({ _tag }) => _tag === "ConnectionFailed" || _tag === "GatewayTimeout",
    times: 20
  })

/** Looks at what a program has left behind: `direct` is a connection of its agent's that nothing disturbs, `own` its own one. */
export const look = (
  gateway: GatewayProcess,
  { name, workspace }: { readonly name: string; readonly workspace: string },
  direct: Context.Context<GatewayServices>,
  own: Context.Context<GatewayServices>
): Effect.Effect<Omit<Result, "followed">> =>
  Effect.gen(function*() {
    const files = filesIn(workspace).filter((file) => !isLeft(file))
    const persistent = yield* Effect.flatMap(State, (state) => state.persistent.query("")).pipe(
      lookAgain,
      Effect.provide(direct)
    )
    const session = yield* Effect.flatMap(State, ({ session }) =>
      Effect.flatMap(session.list(), (keys) => Effect.forEach(keys, (key) => session.get(key)))).pipe(
        lookAgain,
        Effect.provide(own)
      )
    return {
      files: Object.fromEntries(files.filter((file) =>
        !isTrash(file)
      )),
      trash: files.filter(isTrash).map(([, content]) => content).toSorted(),
      persistent: persistent.map(({ key, value, version }) => ({ key, value, version })),
      shared: yield* Effect.provide(lookAgain(sharedState(name)), direct),
      session: session.map(Option.getOrNull),
      approved: yield* approvedOf(gateway, name)
    }
  }).pipe(Effect.orDie)

const parts = ["files", "trash", "persistent", "shared", "session", "approved", "followed"] as const

/** In what a result is not as it should be. */
export const differences = (result: Result, expected: Result): ReadonlyArray<string> =>
  parts.filter((part) => !isDeepStrictEqual(result[part], expected[part])).map((part) =>
    `${part}: ${JSON.stringify(result[part])} instead of ${JSON.stringify(expected[part])}`
  )
