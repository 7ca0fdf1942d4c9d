import * as Data from "effect/Data"
import * as Option from "effect/Option"

/** Where an event stands among those of one gateway: 1, 2, 3 … */
export interface EventId {
  /** A text of 12 characters that no other gateway process has. */
  readonly gateway: string
  /** 0 stands for the place before the first event. */
  readonly number: number
}

/** The id as it is written. */
export const print = ({ gateway, number }: EventId): string => `${gateway}-${number}`

const form = /^([0-9a-f]{12})-(0|[1-9]\d{0,14})$/

/** Reads what `print` wrote. */
export const parse = (text: string): Option.Option<EventId> => {
  const [, gateway, number] = form.exec(text) ?? []
  return gateway === undefined || number === undefined
    ? Option.none()
    : Option.some({ gateway, number: Number(number) })
}

/** A text is not the id of an event. */
export class InvalidEventId extends Data.TaggedError("InvalidEventId")<{ readonly id: string }> {
  override get message() {
    return "This is no id of an event: it is what an event of this stream has for its id"
  }
}

/** What followed an event is not known any more. `newest` is where the stream goes on. */
export class EventExpired extends Data.TaggedError("EventExpired")<{
  readonly id: string
  readonly newest: string
  /** Whether it was an event of another gateway process, or is out of the window of this one. */
  readonly reason: "other-gateway" | "out-of-window"
}> {
  override get message() {
    return this.reason === "other-gateway"
      ? "The event is of a gateway that has ended, or of another one: what followed it is not known here"
      : "The event is too old: what followed it is not kept any more"
  }
}
