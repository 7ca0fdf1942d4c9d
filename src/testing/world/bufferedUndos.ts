import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AnyCatalogue } from "../../catalogue/Catalogue.js"
import type { Undo, Undone } from "../../local/transactions/Undo.js"
import { isBuffered, isOutgoing } from "./isOutgoing.js"
import * as Outbox from "./Outbox.js"

// `other` is what the other way to undo the capability has noted.
const decodeNote = Schema.decodeUnknownOption(Schema.Struct({ token: Schema.String, other: Schema.Unknown }))

const noteOf = (before: unknown) => Option.getOrUndefined(decodeNote(before))

const cancelling = (outbox: Outbox.Outbox, nextToken: () => string, other: Undo | undefined): Undo => ({
  before: (input, context) =>
    Effect.flatMap(Outbox.holder, (holder) => {
      if (holder === undefined) return Effect.dieMessage("what a step writes is held only by `alone`")
      const token = nextToken()
      holder.token = token
      return other === undefined
        ? Effect.succeed({ token, other: null })
        : Effect.map(other.before(input, context), (noted) => ({ token, other: noted ?? null }))
    }),
  after: (input, before, output, context) =>
    other === undefined ? Effect.succeed(null) : other.after(input, noteOf(before)?.other, output, context),
  found: (input, before, context) => {
    const note = noteOf(before)
    if (other !== undefined) return other.found(input, note?.other, context)
    return Effect.map(
      note === undefined ? Effect.succeed(false) : outbox.isHeld(note.token),
      (isDone) => isDone ? { _tag: "Done", after: null } : { _tag: "NotDone" }
    )
  },
  undo: (input, before, after, context) => {
    const note = noteOf(before)
    return Effect.zipRight(
      note === undefined ? Effect.void : outbox.cancelHeld(note.token),
      other === undefined ? Effect.succeed<Undone>({ _tag: "Undone" }) : other.undo(input, note?.other, after, context)
    )
  },
  release: (before, context) => {
    const note = noteOf(before)
    return Effect.zipRight(
      note === undefined ? Effect.void : outbox.letGo(note.token),
      other === undefined ? Effect.void : other.release(note?.other, context)
    )
  },
  // Writes are nobody else's.
  alone: (input, context, effect) =>
    Effect.suspend(() =>
      Outbox.hold({ token: undefined }, other === undefined ? effect : other.alone(input, context, effect))
    )
})

/**
 * How buffered writes are undone, and what the gateway itself holds until the commit, besides what is there by the names of their capabilities: what a transaction has written is held until
 * that is committed, however long its own buffer lasts, and cancelled where it is rolled back.
 */
export const bufferedUndos = (catalogue: AnyCatalogue, outbox: Outbox.Outbox) => {
  let lastToken = 0
  const nextToken = () => `held-${++lastToken}`
  return (own: ReadonlyMap<string, Undo>): ReadonlyMap<string, Undo> =>
    new Map([
      ...own,
      ...Object.values(catalogue)
        .filter((capability) => isBuffered(capability) || (isOutgoing(capability) && own.has(capability.name)))
        .map(({ name }): readonly [string, Undo] => [name, cancelling(outbox, nextToken, own.get(name))])
    ])
}
