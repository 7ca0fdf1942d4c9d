import { useLayoutEffect, useRef, useState } from "preact/hooks"

/** A value that views show, and that is the same for all of them. */
export interface Cell<A> {
  readonly get: () => A
  readonly set: (value: A) => void
  readonly update: (change: (value: A) => A) => void
  /** Calls a listener after each change; what it gives ends that. */
  readonly subscribe: (listener: () => void) => () => void
}

/** Makes a cell. */
export const makeCell = <A>(initial: A): Cell<A> => {
  let value = initial
  const listeners = new Set<() => void>()
  const set = (next: A) => {
    if (Object.is(next, value)) return
    value = next
    for (const listener of listeners) listener()
  }
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

/** What a view shows of a cell; it is rendered again when that has changed. */
export const useSelected = <A, B>(cell: Cell<A>, select: (value: A) => B): B => {
  const selected = select(cell.get())
  const [, setShown] = useState(selected)
  const latest = useRef(select)
  latest.current = select
  useLayoutEffect(() => {
    const look = () => setShown(() => latest.current(cell.get()))
    look()
    return cell.subscribe(look)
  }, [cell])
  return selected
}

/** The value of a cell; the view is rendered again when it changes. */
export const useCell = <A>(cell: Cell<A>): A => useSelected(cell, (value) => value)
