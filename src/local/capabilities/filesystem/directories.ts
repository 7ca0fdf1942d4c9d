import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { HandlerInputOf } from "../../../catalogue/Capability.js"
import type * as filesystem from "../../../catalogue/filesystem.js"
import { byCodePoint } from "../../workspace/names.js"
import type { DirectoryEntry } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"

const byName = Order.make<DirectoryEntry>((one, other) => byCodePoint(one.name, other.name))
const bySize = Order.mapInput(Order.number, ({ size }: DirectoryEntry) => size)
const byTime = Order.mapInput(Order.number, ({ modified }: DirectoryEntry) => DateTime.toEpochMillis(modified))

const orders: Record<HandlerInputOf<typeof filesystem.list.inputs>["sort_by"], Order.Order<DirectoryEntry>> = {
  name: byName,
  "-name": Order.reverse(byName),
  // Entries that are equal in what is asked for come in the order of their names, in either direction.
  size: Order.combine(bySize, byName),
  "-size": Order.combine(Order.reverse(bySize), byName),
  modified: Order.combine(byTime, byName),
  "-modified": Order.combine(Order.reverse(byTime), byName)
}

/** Devices, pipes and sockets are left out: no capability can do anything with them. `total` counts what is returned. */
export const list: Handler<typeof filesystem.list> = (input, { workspace }) =>
  Effect.gen(function*() {
    const path = yield* workspace.resolve(input.path)
    const entries = yield* workspace.entries(path)
    const shown = entries.filter(({ name, type }) =>
      type !== "other" && (input.include_hidden || !name.startsWith("."))
    )
    return {
      entries: [...shown].sort(orders[input.sort_by]).map(({ modified, name, size, type }) => ({
        name,
        type,
        size,
        modified
      })),
      total: shown.length,
      path: path.display
    }
  })

/** Describes a symbolic link itself, not what it leads to. The type of a device, a pipe or a socket is `other`. */
export const stat: Handler<typeof filesystem.stat> = (input, { workspace }) =>
  Effect.flatMap(workspace.resolve(input.path), workspace.status).pipe(
    Effect.map(Option.match({
      onNone: () => ({ exists: false }),
      onSome: ({ created, modified, owner, permissions, size, type }) => ({
        exists: true,
        type,
        size,
        modified,
        created,
        permissions,
        owner
      })
    }))
  )
