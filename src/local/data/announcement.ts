import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { GatewayInstance, isAlive } from "../store/GatewayInstance.js"
import type { DataDirectory, DataDirectoryUnavailable } from "./DataDirectory.js"

/** What a gateway says of itself to the commands that look for it. `gateway` tells it from one that has ended since. */
const Announcement = Schema.parseJson(Schema.Struct({ api: Schema.String, pid: Schema.Int, gateway: Schema.String }))

const decode = Schema.decodeOption(Announcement)

const current = (data: DataDirectory) => Effect.map(data.readAnnouncement, Option.flatMap((text) => decode(text)))

/** Says, until the scope ends, where the gateway of a data directory is. Of several, the last one to begin is found. */
export const announce = (
  data: DataDirectory,
  api: string
): Effect.Effect<void, DataDirectoryUnavailable, GatewayInstance | Scope.Scope> =>
  Effect.flatMap(GatewayInstance, ({ id }) =>
    Effect.acquireRelease(
      data.writeAnnouncement(`${Schema.encodeSync(Announcement)({ api, pid: process.pid, gateway: id })}\n`),
      () =>
        Effect.flatMap(current(data), (found) =>
          Option.isSome(found) && found.value.gateway === id ? data.removeAnnouncement : Effect.void).pipe(
            Effect.catchAll(({ cause, message }) =>
              Effect.logWarning(message, cause)
            )
          )
    ))

/** Where the gateway is that serves a data directory; none where it has ended, however it did. */
export const find = (data: DataDirectory): Effect.Effect<Option.Option<string>, DataDirectoryUnavailable> =>
  Effect.map(
    current(data),
    Option.flatMap(({ api, gateway }) => isAlive(gateway) ? Option.some(api) : Option.none())
  )
