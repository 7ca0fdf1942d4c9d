import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"

/** An event of a stream of server-sent events (`text/event-stream`). */
export interface ServerSentEvent {
  /** What it is called; `message` where the stream does not say, and empty for a place. */
  readonly type: string
  readonly data: string
  /** Behind which id to resume: the event's own, or the last one before it; undefined where there was none yet. */
  readonly id: string | undefined
}

/** An event is longer than a reader takes. */
export class EventTooLong extends Data.TaggedError("EventTooLong")<{
  /** In UTF-16 units. */
  readonly maximumLength: number
}> {
  override get message() {
    return `An event of the stream has more than ${this.maximumLength} characters`
  }
}

/** How a stream is read. */
export interface ReaderOptions {
  /** How long an event may be, in UTF-16 units; 8,388,608 if not given. */
  readonly maximumLength?: number | undefined
  /**
   * Also gives places: what has an id and no data is no event, but says behind which id to resume. They are given with an empty type
   * and empty data, in their order among the events.
   */
  readonly withPlaces?: boolean | undefined
}

const lineEnd = /\r\n|\n|\r/g

/**
 * Makes what reads one stream of server-sent events. It takes the stream's text piece by piece, cut anywhere, and gives the events
 * that each piece completes. An event that is longer than allowed fails the reader with `EventTooLong`: give the stream up then. One that
 * is not complete when the stream ends is not an event.
 */
export const makeReader = (
  { maximumLength = 8_388_608, withPlaces = false }: ReaderOptions = {}
): (text: string) => Either.Either<ReadonlyArray<ServerSentEvent>, EventTooLong> => {
  let unfinished = ""
  let isAfterReturn = false
  let type = ""
  let data: string | undefined
  let id: string | undefined
  let hasId = false

  const field = (name: string, value: string) => {
    if (name === "data") data = data === undefined ? value : `${data}\n${value}`
    else if (name === "event") type = value
    else if (name === "id" && !value.includes("\0")) {
      id = value
      hasId = true
    }
  }

  const ended = (): ServerSentEvent | undefined => {
    if (data !== undefined) return { type: type === "" ? "message" : type, data, id }
    return withPlaces && hasId ? { type: "", data: "", id } : undefined
  }

  const take = (line: string): ServerSentEvent | undefined => {
    if (line === "") {
      const event = ended()
      type = ""
      data = undefined
      hasId = false
      return event
    }
    const colon = line.indexOf(":")
    if (colon === -1) field(line, "")
    else if (colon > 0) field(line.slice(0, colon), line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1))
    return undefined
  }

  const isTooLong = () => unfinished.length + (data?.length ?? 0) > maximumLength

  return (text) => {
    const events: Array<ServerSentEvent> = []
    // The other half of an end of line that the pieces were cut within.
    let from = isAfterReturn && text.startsWith("\n") ? 1 : 0
    if (text !== "") isAfterReturn = text.endsWith("\r")
    lineEnd.lastIndex = from
    for (let found = lineEnd.exec(text); found !== null; found = lineEnd.exec(text)) {
      const line = unfinished + text.slice(from, found.index)
      unfinished = ""
      from = found.index + found[0].length
      const event = take(line)
      if (event !== undefined) events.push(event)
      else if (isTooLong()) return Either.left(new EventTooLong({ maximumLength }))
    }
    unfinished += text.slice(from)
    return isTooLong() ? Either.left(new EventTooLong({ maximumLength })) : Either.right(events)
  }
}

/** The events of the body of an answer. It ends with the body, and fails with `EventTooLong` besides what the body fails with. */
export const events = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  options?: ReaderOptions
): Stream.Stream<ServerSentEvent, E | EventTooLong, R> =>
  Stream.suspend(() => {
    const read = makeReader(options)
    return Stream.decodeText(body).pipe(
      Stream.mapEffect((text) => read(text)),
      Stream.mapConcatChunk(Chunk.unsafeFromArray)
    )
  })
