/** What a child can be told to do: numbers in, numbers out. */
export type Orders = { readonly [name: string]: (...numbers: ReadonlyArray<number>) => Promise<ReadonlyArray<number>> }

/** Does what the parent tells, several things at a time if it must, until the parent lets go. */
export const obey = (orders: Orders): void => {
  process.on("message", (message) => {
    if (!Array.isArray(message)) return
    const [id, name, ...numbers] = message
    const order = orders[name] ?? (() => Promise.reject(new Error(`There is no order ${name}`)))
    order(...numbers).then(
      (answer) => process.send?.([id, ...answer]),
      (error: unknown) => process.send?.([id, error instanceof Error ? error.stack : String(error)])
    )
  })
  process.on("disconnect", () => process.exit())
}

/** The time that all processes of this machine share, in milliseconds. */
export const sharedNow = (): number => performance.timeOrigin + performance.now()
