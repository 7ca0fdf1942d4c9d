const firstSize = 64

/** What waits for an answer. */
interface Waiting {
  /** Given when it begins to wait. */
  id: number | undefined
}

/**
 * Calls by the ids that it gives them, which grow. A table of slots and not a Map: a Map that is filled and emptied all the time
 * leaves a chain of dead tables in the old generation, each of which keeps the next, and all calls in it, from being collected
 * young.
 */
export class PendingCalls<A extends Waiting> {
  #slots: Array<A | undefined> = Array.from({ length: firstSize }, () => undefined)
  #size = 0
  #lastId = 0

  /** Gives a call the next id whose slot is free. */
  add(call: A): number {
    if (this.#size * 2 >= this.#slots.length) this.#grow()
    const slots = this.#slots
    let id = this.#lastId + 1
    while (slots[id % slots.length] !== undefined) id++
    this.#lastId = id
    this.#size++
    call.id = id
    slots[id % slots.length] = call
    return id
  }

  /** Removes the call with this id, and gives it. */
  take(id: unknown): A | undefined {
    if (typeof id !== "number") return undefined
    const slot = id % this.#slots.length
    const call = this.#slots[slot]
    if (call?.id !== id) return undefined
    this.#slots[slot] = undefined
    this.#size--
    return call
  }

  /** An id for a request whose answer nobody waits for. */
  skip(): number {
    return ++this.#lastId
  }

  /** Those that wait now, in the order of their ids. */
  oldestFirst(): ReadonlyArray<A & { readonly id: number }> {
    return this.#slots.filter((call): call is A & { readonly id: number } => call !== undefined)
      .toSorted((one, other) => one.id - other.id)
  }

  #grow(): void {
    const slots: Array<A | undefined> = Array.from({ length: this.#slots.length * 2 }, () => undefined)
    for (const call of this.#slots) if (call?.id !== undefined) slots[call.id % slots.length] = call
    this.#slots = slots
  }
}
