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
  /** After how many milliseconds the human decides on a request to publish, and on one to delete. */
  publishing: Count,
  deleting: Count
})
export type ProgramSchedule = typeof ProgramSchedule.Type

/** When a gateway is killed: at a moment of one of its programs. Then it stays away for so many milliseconds. */
const Kill = Schema.Struct({ program: Count, when: OnTheWay, away: Count })
export type Kill = typeof Kill.Type

/** Programs that share a gateway, and what happens to them. */
export const Schedule = Schema.Struct({ programs: Schema.Array(ProgramSchedule), kills: Schema.Array(Kill) })
export type Schedule = typeof Schedule.Type

/** Reads a schedule as a failed run has printed it. */
export const decodeSchedule = Schema.decodeSync(Schema.parseJson(Schedule))

/** What becomes of a program that nothing disturbs. */
export const undisturbed: ProgramSchedule = { cuts: [], publishing: 0, deleting: 0 }

const { array, constant, constantFrom, integer, nat, oneof, record, tuple } = FastCheck

const direction = constantFrom("toClient" as const, "toServer" as const)

// What is later may come after the end: what was measured may have had something run twice.
const latest = 650

/** The last moment for a kill of that number, for programs that another one is behind. */
export const latestKill = (index: number): OnTheWay => ({
  _tag: "OnTheWay",
  far: latest + 25 * (index + 1),
  direction: "toServer",
  bytes: 0,
  milliseconds: 0
})

/** Places on the way, in their order. */
const places = (count: number) =>
  array(integer({ min: 20, max: latest }), { minLength: count, maxLength: count }).map((all) =>
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

const told = constantFrom("reset" as const, "end" as const, "gateway is not told" as const)

const silent = constantFrom("client is not told" as const, "nobody is told" as const)

/** A client finds a silent connection by its heartbeat, but one that it is making after as long as a request may take. */
const cutAt = (far: number): FastCheck.Arbitrary<Cut> =>
  oneof(
    { weight: 96, arbitrary: record({ how: oneof(told, told, silent), when: onTheWay(far) }) },
    { weight: 28, arbitrary: record({ how: told, when: connecting }) },
    { weight: 1, arbitrary: record({ how: silent, when: connecting }) }
  )

const cutsAt = places(cuts).chain((places) =>
  tuple(
    ...places.map((far, index) =>
      // The first connection has to be made before the program can begin.
      index === 0 ? record({ how: told, when: onTheWay(far) }) : cutAt(far)
    )
  )
)

const programs: FastCheck.Arbitrary<ProgramSchedule> = record({
  cuts: cutsAt,
  publishing: oneof(nat(50), nat(2500)),
  deleting: oneof(nat(50), nat(400))
})

const killsAmong = (count: number) =>
  places(kills).chain((places) =>
    tuple(...places.map((far) => record({ program: nat(count - 1), when: onTheWay(far), away: nat(80) })))
  )

/** Any schedule of so many programs that share a gateway. */
export const schedules = (count: number): FastCheck.Arbitrary<Schedule> =>
  record({ programs: array(programs, { minLength: count, maxLength: count }), kills: killsAmong(count) })
