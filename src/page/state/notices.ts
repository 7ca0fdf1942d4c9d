import { makeCell } from "./Cell.js"

/** Something that the person should know, until they put it away. */
export interface Notice {
  readonly number: number
  readonly tone: "info" | "bad"
  readonly text: string
}

const maximum = 3

let lastNumber = 0

/** Makes what is told to the person at the top of the page. The same text is not told twice at a time. */
export const makeNotices = () => {
  const notices = makeCell<ReadonlyArray<Notice>>([])
  return {
    notices,
    tell: (tone: Notice["tone"], text: string) =>
      notices.update((all) =>
        [...all.filter((notice) => notice.text !== text), { number: ++lastNumber, tone, text }]
          .slice(-maximum)
      ),
    putAway: (number: number) => notices.update((all) => all.filter((notice) => notice.number !== number))
  }
}

export type Notices = ReturnType<typeof makeNotices>
