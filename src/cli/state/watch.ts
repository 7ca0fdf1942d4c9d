import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import type { GatewayStatus } from "../../connection/Link.js"
import { Gateway } from "../../services/Gateway.js"
import { State } from "../../services/State.js"
import { SignalExitCode } from "../exit.js"
import { explainFailure } from "../explainFailure.js"
import { outputClosed, print, printError } from "../print.js"
import { changeJson, changeLines } from "./text.js"

/** Says when the gateway is lost and when it is there again. */
const tellOfLosses = (status: Stream.Stream<GatewayStatus>) =>
  Effect.suspend(() => {
    let isLost = false
    return Stream.runForEach(status, ({ _tag }) => {
      const wasLost = isLost
      isLost = _tag === "Reconnecting" || (isLost && _tag === "Connecting")
      if (isLost === wasLost) return Effect.void
      return printError(isLost ? "The gateway is lost" : "The gateway answers again")
    })
  })

/** Prints what changes in the shared state, until it is interrupted. */
export const watch = (
  prefix: string,
  { current, json }: { readonly current: boolean; readonly json: boolean }
) =>
  Effect.gen(function*() {
    // A signal is how it is meant to end.
    MutableRef.set(yield* SignalExitCode, 0)
    const { status } = yield* Gateway
    const { shared } = yield* State
    yield* Effect.forkScoped(tellOfLosses(status))
    yield* Stream.runForEach(shared.changes(prefix, { current }), (change) =>
      Effect.gen(function*() {
        if (json) return yield* print(changeJson(change))
        const lines = changeLines(yield* DateTime.now, change)
        yield* Effect.forEach(lines, (line) => print(line), { discard: true })
      })).pipe(
        Effect.mapError(explainFailure),
        Effect.raceFirst(outputClosed)
      )
  }).pipe(Effect.scoped)
