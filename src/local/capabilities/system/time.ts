import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { OutputOf } from "../../../catalogue/Capability.js"
import type { time } from "../../../catalogue/system.js"
import { InvalidInput } from "../../../errors/general.js"
import type { Handler } from "../Handler.js"

interface NamedZone {
  readonly name: string
  readonly zone: DateTime.TimeZone
}

const offset = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/

const offsetZone = (text: string): Option.Option<NamedZone> =>
  Option.map(Option.fromNullable(offset.exec(text)), ([, sign, hours, minutes]) => ({
    name: text,
    zone: DateTime.zoneMakeOffset((sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000)
  }))

// The database knows many a zone under several names; the one that was asked for is kept, but for its case.
const databaseZone = (text: string): Option.Option<NamedZone> =>
  Option.map(DateTime.zoneMakeNamed(text), (zone) => ({
    name: zone.id.toLowerCase() === text.toLowerCase() ? zone.id : text,
    zone
  }))

// Some versions of Node take offsets in other spellings for names.
const zoneOf = (text: string): Option.Option<NamedZone> => /^[+-]/.test(text) ? offsetZone(text) : databaseZone(text)

const shownLength = 64

const invalidTimezone = (text: string) => {
  const shown = text.length > shownLength ? `${text.slice(0, shownLength)}…` : text
  return new InvalidInput({
    type: "InvalidTimezone",
    message: `${JSON.stringify(shown)} is neither a zone of the IANA database, such as Europe/Vienna, nor an offset, ` +
      "such as +02:00",
    field: "timezone",
    reason: "InvalidTimezone"
  })
}

type Present = OutputOf<typeof time["outputs"]>

/** The handler of `system.time`. A zone is one of the IANA database, or an offset from UTC such as `+02:00`. */
export const timeHandler: Handler<typeof time> = ({ timezone }) =>
  Effect.clockWith((clock) => {
    const milliseconds = clock.unsafeCurrentTimeMillis()
    const utc = DateTime.unsafeMake(milliseconds)
    const present = { utc, unix_epoch: Math.floor(milliseconds / 1000), unix_epoch_ms: milliseconds }
    if (timezone === undefined) return Effect.succeed<Present>({ ...present, local: null, timezone: "UTC" })
    return Effect.mapBoth(zoneOf(timezone), {
      onFailure: () => invalidTimezone(timezone),
      onSuccess: ({ name, zone }): Present => ({
        ...present,
        local: DateTime.formatIsoOffset(DateTime.setZone(utc, zone)),
        timezone: name
      })
    })
  })
