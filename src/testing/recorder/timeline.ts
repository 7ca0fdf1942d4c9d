import { type Answer, type Cassette, type Entry, type Exchange, isExchange } from "./Cassette.js"
import { capabilityOf } from "./comparison.js"

/** A recorded request, and what has become of it in the replay. */
export class Recorded {
  readonly exchange: Exchange
  /** Whether it is one of those that ask again and again for news, as often as time lets them. */
  readonly isPoll: boolean
  /** Told how it ends, while somebody waits for it. */
  onAnswer: ((answer: Answer) => void) | undefined = undefined
  /** The token of progress that it is asked with now. */
  progressToken: number | undefined = undefined
  isAsked = false

  constructor(exchange: Exchange, pushes: boolean) {
    this.exchange = exchange
    this.isPoll = isPoll(exchange, pushes)
  }
}

const polling = new Set(["approvals.check", "kruxos/checkApproval"])

// Where nothing is pushed, changes of the shared state are found by lists.
const pollingUnpushed = new Set(["state.shared.list", "state_shared_list"])

const isPoll = ({ params, request }: Exchange, pushes: boolean) =>
  polling.has(request) || (!pushes && pollingUnpushed.has(capabilityOf({ method: request, params }) ?? ""))

/** What the gateway does by itself. */
export type Happening = Exclude<Entry, Exchange>

type Event =
  | { readonly _tag: "Ask"; readonly step: number; readonly at: number; readonly recorded: Recorded }
  | {
    readonly _tag: "Answer"
    readonly step: number
    readonly at: number
    readonly recorded: Recorded
    readonly answer: Answer
  }
  | { readonly _tag: "Happening"; readonly step: number; readonly at: number; readonly entry: Happening }

type Ready = Exclude<Event, { readonly _tag: "Ask" }>

interface Found {
  readonly event: Ready
  readonly index: number
}

/** What the gateway of the recording does, in its order. */
export interface Timeline {
  readonly exchanges: ReadonlyArray<Recorded>
  /** The step of the last thing that has happened. */
  readonly reached: () => number
  /** A recorded request is asked. */
  readonly asked: (recorded: Recorded) => void
  /** Nobody waits for its answer any more, perhaps because it has come. */
  readonly abandoned: (recorded: Recorded) => void
  /** From now on nothing waits for what has not been asked. */
  readonly loosen: () => void
  /** Takes what the gateway does next by itself, if it is its turn; all that it did before anything else happened. */
  readonly next: () => ReadonlyArray<Happening>
  /** Answers what is to be answered after what has happened. */
  readonly goOn: () => void
  /** In how many milliseconds what waits for its turn happens all the same; Infinity where nothing waits. */
  readonly due: () => number
  /** Lets the first of what waits for its turn happen, or takes it, and loosens. */
  readonly force: () => ReadonlyArray<Happening>
}

// Longer than then, so that what is only slower comes in its turn.
const patienceMillis = 1000

const eventsOf = (entries: ReadonlyArray<Entry>, exchanges: ReadonlyArray<Recorded>): ReadonlyArray<Event> =>
  [
    ...exchanges.flatMap((recorded): ReadonlyArray<Event> => {
      const { answer, at, step } = recorded.exchange
      return [
        { _tag: "Ask", step, at, recorded },
        // One that was given up is not answered: whoever asks gives it up again.
        ...(answer === undefined || answer.abandoned !== undefined
          ? []
          : [{ _tag: "Answer" as const, step: answer.step, at: answer.at, recorded, answer }])
      ]
    }),
    ...entries.flatMap((entry): ReadonlyArray<Event> =>
      isExchange(entry) ? [] : [{ _tag: "Happening", step: entry.step, at: entry.at, entry }]
    )
  ].sort((one, other) => one.step - other.step)

/**
 * Replays what the gateway did: each answer when all has happened that came between it and its question, and all else when everything
 * has that came before it. Polls are answered at once, and nothing waits for them.
 */
export const make = (
  { entries, pushes }: Cassette,
  now: () => number
): Timeline => {
  const exchanges = entries.filter(isExchange).map((exchange) => new Recorded(exchange, pushes))
  const events = eventsOf(entries, exchanges)
  const isDone = events.map(() => false)
  const indices = new Map<Recorded, { ask?: number; answer?: number }>()
  events.forEach((event, index) => {
    if (event._tag === "Happening") return
    const known = indices.get(event.recorded) ?? {}
    indices.set(event.recorded, event._tag === "Ask" ? { ...known, ask: index } : { ...known, answer: index })
  })
  // Whose answers are still to come.
  const waiting = new Set<Recorded>()
  let reached = 0
  let first = 0
  let lastAsked = -1
  let isLoose = false
  let isAnswering = false
  // The moment of the recording that a moment of the clock stands for.
  let anchor = { at: 0, clock: now() }

  const pass = ({ at, step }: { readonly at: number; readonly step: number }) => {
    if (step <= reached) return
    reached = step
    anchor = { at, clock: now() }
  }

  const isSoft = (event: Event) => event._tag !== "Happening" && event.recorded.isPoll

  const answer = ({ answer, recorded }: Extract<Event, { readonly _tag: "Answer" }>) => {
    const { onAnswer } = recorded
    recorded.onAnswer = undefined
    waiting.delete(recorded)
    onAnswer?.(answer)
  }

  const happen = (event: Ready, index: number) => {
    isDone[index] = true
    if (!isSoft(event)) pass(event)
  }

  /** The first, in order, of what can happen without anything that the program does before, and that `isIt` accepts. */
  const find = (isIt: (event: Ready, isItsTurn: boolean) => boolean): Found | undefined => {
    while (isDone[first] === true) first++
    let missing = -1
    let isAhead = false
    for (let index = first; index < events.length && !(isAhead && waiting.size === 0); index++) {
      const event = events[index]
      if (event === undefined || isDone[index] === true) continue
      if (event._tag === "Ask" || (event._tag === "Answer" && !waiting.has(event.recorded))) {
        if (isSoft(event)) continue
        missing = event.step
        if (event._tag === "Ask" && index > lastAsked) isAhead = true
        continue
      }
      // What comes after a question that is yet to be asked is not waited for.
      if (isAhead && event._tag === "Happening") continue
      const isItsTurn = event._tag === "Happening"
        ? missing === -1 || isLoose
        : isLoose || isSoft(event) || missing < event.recorded.exchange.step
      if (isIt(event, isItsTurn)) return { event, index }
      missing = event.step
    }
    return undefined
  }

  const take = (found: Found | undefined): ReadonlyArray<Happening> => {
    if (found === undefined) return []
    happen(found.event, found.index)
    if (found.event._tag === "Answer") {
      answer(found.event)
      return []
    }
    const happenings = [found.event.entry]
    for (let index = found.index + 1, next = events[index]; next?._tag === "Happening"; next = events[++index]) {
      happen(next, index)
      happenings.push(next.entry)
    }
    return happenings
  }

  const answerAll = () => {
    isAnswering = false
    const inTurn = () => find((event, isItsTurn) => isItsTurn && event._tag === "Answer")
    for (let found = inTurn(); found !== undefined; found = inTurn()) take(found)
  }

  // No answer comes before its question is over, so that those who ask at the same time go on in the order of their answers.
  const goOn = () => {
    if (isAnswering) return
    isAnswering = true
    queueMicrotask(answerAll)
  }

  const held = () => find((_, isItsTurn) => !isItsTurn)

  return {
    exchanges,
    reached: () => reached,
    asked: (recorded) => {
      recorded.isAsked = true
      const { answer, ask } = indices.get(recorded) ?? {}
      if (ask !== undefined) isDone[ask] = true
      lastAsked = Math.max(lastAsked, ask ?? -1)
      if (answer !== undefined) waiting.add(recorded)
      if (!recorded.isPoll) pass(recorded.exchange)
      goOn()
    },
    abandoned: (recorded) => {
      recorded.onAnswer = undefined
      waiting.delete(recorded)
      const index = indices.get(recorded)?.answer
      if (index !== undefined) isDone[index] = true
      goOn()
    },
    loosen: () => {
      isLoose = true
      goOn()
    },
    next: () => take(find((event, isItsTurn) => isItsTurn && event._tag === "Happening")),
    goOn,
    due: () => {
      const found = held()
      if (found === undefined) return Infinity
      return Math.max(0, found.event.at - anchor.at + patienceMillis - (now() - anchor.clock))
    },
    force: () => {
      const first = held()
      // An order that cannot be kept is not waited for again and again.
      isLoose = true
      return take(first)
    }
  }
}
