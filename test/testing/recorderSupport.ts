import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { dirname } from "node:path"
import type { ConnectionOptions } from "../../src/connection/Options.js"
import { layerOf } from "../../src/services/Gateway.js"
import { Recorder, type RecorderOptions, type ReplayOptions } from "../../src/testing/recorder/Recorder.js"
import { connectionOptions, linkTo } from "../connection/linkSupport.js"
import type { ScriptedGateway } from "../support/scriptedGateway.js"
import { cassettePath } from "./recorderGateways.js"

/** The services of a scripted gateway. */
export const scriptedLayer = (gateway: ScriptedGateway, options: Partial<ConnectionOptions> = {}) => {
  const connection = { ...connectionOptions, ...options }
  return layerOf(linkTo(gateway, connection), connection, Option.none())
}

/** What was recorded while a program ran with a scripted gateway. */
export interface Recorded<A> {
  readonly file: string
  readonly result: A
  readonly text: string
  readonly entries: ReadonlyArray<unknown>
}

const entriesIn = (text: string): ReadonlyArray<unknown> => {
  const parsed: { readonly entries?: unknown } = JSON.parse(text)
  return Array.isArray(parsed.entries) ? parsed.entries : []
}

/** Runs a program with a scripted gateway, and records it. */
export const record = <A, E, R>(
  gateway: ScriptedGateway,
  program: Effect.Effect<A, E, R>,
  options: RecorderOptions & { readonly connection?: Partial<ConnectionOptions> } = {}
) =>
  Effect.gen(function*() {
    const file = yield* cassettePath
    const result = yield* Effect.provide(
      program,
      Recorder.layer(file, scriptedLayer(gateway, options.connection), options)
    )
    const text = fs.readFileSync(file, "utf8")
    const recorded: Recorded<A> = { file, result, text, entries: entriesIn(text) }
    return recorded
  })

/** Runs a program with what was recorded. */
export const replay = <A, E, R>(file: string, program: Effect.Effect<A, E, R>, options: ReplayOptions = {}) =>
  Effect.provide(program, Recorder.replay(file, options))

/** A file with that text, in a folder that goes with the scope. */
export const fileWith = (text: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(cassettePath, (path) => {
    fs.mkdirSync(dirname(path), { recursive: true })
    fs.writeFileSync(path, text)
    return path
  })

const session = {
  step: 1,
  at: 0,
  connected: {
    session: { id: "ses-1", agent: "agent" },
    dialect: "native",
    features: ["native", "approvals", "events", "progress"],
    isResumed: false
  }
}

/** A cassette of a session with those entries, as it would be written. */
export const cassetteWith = (
  entries: ReadonlyArray<object>,
  more: { readonly pushes?: boolean } = {}
): Effect.Effect<string, never, Scope.Scope> =>
  fileWith(JSON.stringify({ version: 1, pushes: true, entries: [session, ...entries], ...more }))

/** A recorded invocation; `step` and the next one are its, unless its answer has a later one. */
export const invoked = (
  step: number,
  capability: string,
  input: object,
  data: unknown,
  answer: { readonly step?: number; readonly at?: number } = {}
) => ({
  step,
  at: step,
  request: "capabilities.invoke",
  params: { capability, arguments: input },
  answer: { step: step + 1, at: step + 1, result: { success: true, data }, ...answer }
})
