import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Direction, Ending } from "../support/faultProxyScript.js"

/** How often a program loses its socket. */
export const cuts = 10

/** How often its gateway is killed. */
export const kills = 3

const Count = Schema.NonNegativeInt

/**
 * A moment in the life of a program: when it has come so far on its way (in thousandths of the bytes that it says to the gateway when
 * nothing disturbs it), then so many bytes later in the given direction, then so many milliseconds later.
 */
const OnTheWay = Schema.TaggedStruct("OnTheWay", {
  far: Count,
  direction: Direction,
  bytes: Count,
  milliseconds: Count
})
export type OnTheWay = typeof OnTheWay.Type

/** A moment while the connection is being made that follows: after so many bytes of its own. */
const Connecting = Schema.TaggedStruct("Connecting", { direction: Direction, bytes: Count })

/** How a program loses its socket: both ends learn of it, or one, or none. */
const Cut = Schema.Struct({
  how: Schema.Union(Ending, Schema.Literal("client is not told", "gateway is not told", "nobody is told")),
  when: Schema.Union(OnTheWay, Connecting)
})
export type Cut = typeof Cut.Type

/** What happens to one program, in its order. */
export const ProgramSchedule = Schema.Struct({
  cuts: Schema.Array(Cut),
  /** When its gateway is killed, unless another program that it has is sooner. */
  kills: Schema.Array(OnTheWay),
  /** After how many milliseconds the human decides on a request to publish, and on one to delete. */
  publishing: Count,
  deleting: Count
})
export type ProgramSchedule = typeof ProgramSchedule.Type

/** Programs that share a gateway, and how many milliseconds it stays away after each kill. */
export const Schedule = Schema.Struct({
  programs: Schema.NonEmptyArray(ProgramSchedule),
  away: Schema.Array(Count)
})
export type Schedule = typeof Schedule.Type

/** Reads a schedule as a failed run has printed it. */
export const decodeSchedule = Schema.decodeSync(Schema.parseJson(Schedule))

/** What becomes of a program that nothing disturbs. */
export const undisturbed: ProgramSchedule = { cuts: [], kills: [], publishing: 0, deleting: 0 }

const { array, constant, constantFrom, integer, nat, oneof, record, tuple } = FastCheck

const direction = constantFrom("toClient" as const, "toServer" as const)

/** Places on the way in their order, none so late that the program is over when it gets there. */
const places = (count: number) =>
  array(integer({ min: 20, max: 800 }), { minLength: count, maxLength: count }).map((all) =>
    all.toSorted((one, other) => one - other)
  )

const onTheWay = (far: number) =>
  record({
    _tag: constant("OnTheWay" as const),
    far: constant(far),
    direction,
    // Between two frames, or within one.
    bytes: oneof(constant(0), nat(300)),
    // While what was sent last is carried out.
    milliseconds: oneof(constant(0), nat(10))
  })

const connecting = record({ _tag: constant("Connecting" as const), direction, bytes: nat(1200) })

const how = constantFrom(
  "reset" as const,
  "reset" as const,
  "end" as const,
  "end" as const,
  "client is not told" as const,
  "gateway is not told" as const,
  "nobody is told" as const
)

const cutsAt = places(cuts).chain((places) =>
  tuple(
    ...places.map((far, index): FastCheck.Arbitrary<Cut> =>
      record({
        how,
        // The first connection has to be made before the program can begin.
        when: index === 0 ? onTheWay(far) : oneof(
          { weight: 4, arbitrary: onTheWay(far) },
          { weight: 1, arbitrary: connecting }
        )
      })
    )
  )
)

const programs: FastCheck.Arbitrary<ProgramSchedule> = record({
  cuts: cutsAt,
  kills: places(kills).chain((places) => tuple(...places.map(onTheWay))),
  publishing: oneof(nat(50), nat(2500)),
  deleting: oneof(nat(50), nat(400))
})

/** Any schedule of so many programs that share a gateway. */
export const schedules = (count: number): FastCheck.Arbitrary<Schedule> =>
  record({
    programs: tuple(programs, ...Array.from({ length: count - 1 }, () => programs)),
    away: array(nat(80), { minLength: kills, maxLength: kills })
  })
