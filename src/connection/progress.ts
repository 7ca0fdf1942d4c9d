import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Channel } from "./Link.js"

/** How far the gateway says that a call is. */
export interface ProgressUpdate {
  readonly progress: number
  readonly total: number | undefined
  readonly message: string | undefined
}

/** Told synchronously, as notifications arrive. */
export type OnProgress = (update: ProgressUpdate) => void

/** The method of MCP by which progress is told. */
export const progressMethod = "notifications/progress"

interface Listening {
  readonly onProgress: OnProgress
  reached: number
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

// Some write what is not there as null.
const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

/** The calls over one connection that want to know how far they are, by the tokens that it gives them. */
export class ProgressTokens {
  readonly #listening = new Map<unknown, Listening>()
  #last = 0

  open(onProgress: OnProgress): number {
    const token = ++this.#last
    this.#listening.set(token, { onProgress, reached: -Infinity })
    return token
  }

  close(token: number): void {
    this.#listening.delete(token)
  }

  /** Takes the params of a notification; what does not grow, is malformed, or is of no call that there is, is ignored. */
  receive(params: unknown): void {
    if (!Predicate.isRecord(params)) return
    const { message, progress, progressToken, total } = params
    const listening = this.#listening.get(progressToken)
    if (listening === undefined || !isNumber(progress) || progress <= listening.reached) return
    if (!(isAbsent(total) || isNumber(total)) || !(isAbsent(message) || typeof message === "string")) return
    listening.reached = progress
    listening.onProgress({ progress, total: total ?? undefined, message: message ?? undefined })
  }
}

// What invokes, among what is asked for the sake of an invocation.
const invoking = new Set(["capabilities.invoke", "tools/call"])

const withToken = (params: unknown, progressToken: number): unknown => {
  if (!Predicate.isRecord(params)) return params
  const meta = params["_meta"]
  return { ...params, _meta: { ...(Predicate.isRecord(meta) ? meta : {}), progressToken } }
}

/** Invokes with a token of its own, where somebody wants to know how far it is and the gateway can tell. */
export const withProgress = <A, E>(
  channel: Channel,
  onProgress: OnProgress | undefined,
  invoke: (channel: Channel) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const tokens = channel.progress
  if (onProgress === undefined || tokens === undefined || !channel.features.has("progress")) return invoke(channel)
  return Effect.acquireUseRelease(
    Effect.sync(() => tokens.open(onProgress)),
    (token) =>
      invoke({
        ...channel,
        request: (method, params, ...more) =>
          channel.request(method, invoking.has(method) ? withToken(params, token) : params, ...more)
      }),
    (token) => Effect.sync(() => tokens.close(token))
  )
}
