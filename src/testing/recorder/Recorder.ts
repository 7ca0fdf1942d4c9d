import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { CurrentTap } from "../../connection/tap.js"
import { type GatewayServices, layerOf } from "../../services/Gateway.js"
import { type CallSettings, connectionOptions } from "../../services/GatewayOptions.js"
import type { CassetteMismatch, CassetteUnreadable, CassetteUnwritable } from "./CassetteErrors.js"
import * as CassetteFile from "./cassetteFile.js"
import * as Recording from "./recording.js"
import { make as makeRedact, type Redaction } from "./redact.js"
import * as ReplayLink from "./replayLink.js"

/** What a recording is made with. */
export interface RecorderOptions {
  /**
   * What must not be in the cassette, besides what is always left out: what stands under a name such as `password`, `token` or
   * `Authorization`, credentials in texts (`Bearer …`), and the key of the connection. Texts, Redacted ones too, and patterns.
   */
  readonly redact?: ReadonlyArray<Redaction> | undefined
}

/** What a replay is made with. `redact` is what the recording was made with, so that differences show none of it. */
export interface ReplayOptions extends RecorderOptions, Pick<CallSettings, "maxInFlight" | "requestTimeout"> {}

/** What a test asks of a recorder. */
export interface RecorderService {
  /**
   * That the program has asked what was recorded: fails with CassetteMismatch where it asked something else, or not everything. Its
   * message is the difference. While a cassette is recorded there is none. What asks for news (of approvals, and of the shared state
   * where nothing is pushed) may be asked more or less often.
   */
  readonly verify: Effect.Effect<void, CassetteMismatch>
}

/** Records what a program has to do with a gateway, and replays it without one. */
export class Recorder extends Context.Tag("kruxos/testing/Recorder")<Recorder, RecorderService>() {
  /**
   * The given Layer of a gateway, over whatever transport, whose conversation is written to a file when the scope ends: as readable
   * JSON, without secrets. The file is written as a whole or not at all, and not where there was no session; until then all is kept
   * in memory. Where it cannot be written at the end although it could at the beginning, the scope ends with that as a defect. Fails
   * with CassetteUnwritable where there is no place for the file, and as the gateway's Layer does.
   */
  static readonly layer = <ROut, E, R>(
    file: string,
    gateway: Layer.Layer<ROut, E, R>,
    options: RecorderOptions = {}
  ): Layer.Layer<ROut | Recorder, E | CassetteUnwritable, Exclude<R, Scope.Scope>> =>
    Layer.scopedContext(Effect.gen(function*() {
      yield* CassetteFile.prepare(file)
      const recording = Recording.make(yield* Effect.clock, options.redact ?? [])
      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          const cassette = recording.cassette()
          return cassette === undefined ? Effect.void : Effect.orDie(CassetteFile.write(file, cassette))
        })
      )
      const services = yield* Effect.mapInputContext(
        Layer.build(gateway),
        (context: Context.Context<R | Scope.Scope>) => Context.add(context, CurrentTap, recording.tap)
      )
      yield* Effect.addFinalizer(() => Effect.sync(recording.end))
      return Context.add(services, Recorder, { verify: Effect.void })
    }))

  /**
   * A gateway that answers from a cassette, at once, and needs nothing else: answers, failures, approvals, transactions and
   * notifications are as they were recorded, in their order, with the ids that the gateway gave. Requests are compared with the
   * recorded ones, but for what is random (keys of idempotency, traces) and for secrets. One that was not recorded fails with a
   * CapabilityError of type `recorder.drift`, whose message is the difference, or, where it invokes nothing, with a ProtocolError.
   *
   * What the program no longer does is not waited for longer than it took and a second, by the Clock. Of a secret only that there was
   * one is replayed: a text is `[secret]`, a number 0. Fails with CassetteUnreadable.
   */
  static readonly replay = (
    file: string,
    options: ReplayOptions = {}
  ): Layer.Layer<GatewayServices | Recorder, CassetteUnreadable> => {
    const connection = connectionOptions(options, Redacted.make(""), 0)
    return Layer.unwrapScoped(Effect.map(
      Effect.flatMap(CassetteFile.read(file), (cassette) =>
        ReplayLink.make({
          file,
          cassette,
          redact: makeRedact(options.redact ?? []),
          maxInFlight: connection.maxInFlight
        })),
      ({ link, mismatch }) =>
        Layer.merge(
          layerOf(Effect.succeed(link), connection, Option.none()),
          Layer.succeed(Recorder, { verify: Effect.suspend(() => mismatch() ?? Effect.void) })
        )
    ))
  }

  /** {@link RecorderService.verify} of the recorder that there is. */
  static readonly verify: Effect.Effect<void, CassetteMismatch, Recorder> = Effect.flatMap(
    Recorder,
    ({ verify }) => verify
  )
}
