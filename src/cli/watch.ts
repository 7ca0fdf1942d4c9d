import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SupervisionEvent } from "../local/supervision/SupervisionEvent.js"
import { activityTypes } from "../local/supervisor/entriesOf.js"
import { SignalExitCode } from "./exit.js"
import { invalidValue, json, optionalText, time, wholeNumber } from "./options.js"
import { outputClosed, print, printError } from "./print.js"
import { find, whichGateway } from "./supervisor/client.js"
import type { Filter } from "./supervisor/eventFeed.js"
import { compactJson, cut, oneLine } from "./text.js"
import { type Activity, latest } from "./watch/activity.js"
import { follow } from "./watch/follow.js"
import { makeShown } from "./watch/shown.js"
import { makeLine } from "./watch/text.js"

const options = {
  agent: optionalText("agent", "NAME", "Only what this agent does, or what is done about it."),
  type: Options.text("type").pipe(
    Options.withPseudoName("TYPES"),
    Options.withDescription(`Only events of these types, with commas between them: ${activityTypes.join(", ")}.`),
    Options.mapEffect((text) => {
      const types = text.split(",").map((type) => type.trim())
      const unknown = types.find((type) => !activityTypes.includes(type))
      return unknown === undefined
        ? Effect.succeed(types)
        : invalidValue(`--type takes ${activityTypes.join(", ")}, not '${oneLine(unknown)}'`)
    }),
    Options.optional
  ),
  session: optionalText("session", "ID", "Only what happens in this session."),
  last: wholeNumber("last", 0, 1000).pipe(
    Options.withDescription(
      "Begin with so many things that happened before; in a terminal 10 if not given, with --since up to 1000."
    ),
    Options.optional
  ),
  since: time("since").pipe(
    Options.withDescription(
      "Begin with what happened since then, such as 2026-01-31T12:00:00Z, or so long ago, such as 30m."
    ),
    Options.optional
  ),
  ...whichGateway,
  json: json("Print each event as one line of JSON.")
}

const encode = Schema.encodeSync(SupervisionEvent)

const decode = Schema.decodeUnknownOption(Schema.parseJson(SupervisionEvent))

const parsed = Schema.decodeUnknownOption(Schema.parseJson())

/** `kruxos watch` */
export const watch = Command.make(
  "watch",
  options,
  ({ agent, json, last, session, since, type, ...which }) =>
    Effect.gen(function*() {
      // A signal is how it is meant to end.
      MutableRef.set(yield* SignalExitCode, 0)
      const filter: Filter = {
        agent: Option.getOrUndefined(agent),
        types: Option.getOrUndefined(type),
        session: Option.getOrUndefined(session)
      }
      const line = makeLine()
      const isTerminal = process.stdout.isTTY && !json
      const count = Option.getOrElse(last, () => Option.isSome(since) ? 1000 : isTerminal ? 10 : 0)
      const shown = makeShown()

      const showPast = (item: Activity) => {
        shown.add(item)
        return print(json ? compactJson({ ...encode(item), sequence: item.sequence }) : line(item))
      }
      yield* follow(find(which), filter, {
        onBegin: (target) =>
          count === 0 ? Effect.void : Effect.flatMap(
            latest(target, filter, { count, since: Option.getOrUndefined(since) }),
            Effect.forEach(showPast, { discard: true })
          ),
        onEvent: ({ data, type }) => {
          const event = decode(data)
          // What happened while the log was being read is in the log and in the feed.
          if (Option.isSome(event) && shown.take(event.value)) return Effect.void
          if (json) return print(Option.match(parsed(data), { onNone: () => compactJson(data), onSome: compactJson }))
          if (type === "events_lost") return Effect.void
          return print(Option.match(event, { onNone: () => oneLine(cut(`${type} ${data}`, 500)), onSome: line }))
        },
        onNotice: printError
      }).pipe(Effect.raceFirst(outputClosed))
    })
).pipe(Command.withDescription("Print what agents do as it happens, until Ctrl-C."))
