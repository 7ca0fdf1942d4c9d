import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Link } from "./Link.js"

/** What the gateway tells of a key of the shared state that has changed; the value is to be asked for. */
export interface Told {
  readonly version: number
  readonly ownerAgent: string | undefined
}

/** The keys that have changed, each once, in the order of their last changes. */
export interface ChangedKeys {
  readonly add: (key: string, told?: Told) => void
  /** Takes the first ones out, so many at most. */
  readonly take: (count: number) => ReadonlyArray<readonly [key: string, told: Told | undefined]>
  /** From now on nothing is missing, as far as is known. */
  readonly complete: () => void
  /** Whether keys may be missing since then: there were too many of them, or so much was told that some of it may have got lost. */
  readonly mayLack: () => boolean
}

// Fewer than a gateway keeps for a session that does not read, before it leaves out the oldest without a word.
const mostTold = 1000

const method = "notifications/kruxos/state_changed"

const decode = Schema.decodeUnknownOption(
  Schema.Struct({
    key: Schema.String,
    version: Schema.Number,
    owner_agent: Schema.optional(Schema.NullOr(Schema.String))
  })
)

/**
 * Gathers the keys with a prefix that the gateway tells of, until the scope closes: at most `limit` that have not been taken. Calls
 * `onChange` after each, synchronously.
 */
export const gather = (
  link: Pick<Link, "listen">,
  prefix: string,
  limit: number,
  onChange: () => void
): Effect.Effect<ChangedKeys, never, Scope.Scope> =>
  Effect.suspend(() => {
    const keys = new Map<string, Told | undefined>()
    let told = 0
    let isFull = false

    const add: ChangedKeys["add"] = (key, news) => {
      // What is added again comes last.
      const before = keys.get(key)
      if (keys.delete(key) || keys.size < limit) keys.set(key, news ?? before)
      else isFull = true
    }

    const listening = link.listen((notification) => {
      told++
      if (notification.method !== method) return
      const news = Option.getOrUndefined(decode(notification.params))
      if (news === undefined || !news.key.startsWith(prefix)) return
      add(news.key, { version: news.version, ownerAgent: news.owner_agent ?? undefined })
      onChange()
    })

    return Effect.as(listening, {
      add,
      take: (count) => {
        const taken: Array<readonly [string, Told | undefined]> = []
        for (const entry of keys) {
          if (taken.length === count) break
          taken.push(entry)
          keys.delete(entry[0])
        }
        return taken
      },
      complete: () => {
        told = 0
        isFull = false
      },
      mayLack: () => isFull || told >= mostTold
    })
  })
