/** What this tab remembers until it is closed; nothing where the browser keeps nothing for this page. */
export const kept = (name: string) => {
  const key = `kruxos.${name}`
  return {
    read: (): string | undefined => {
      try {
        return sessionStorage.getItem(key) ?? undefined
      } catch {
        return undefined
      }
    },
    write: (value: string | undefined): void => {
      try {
        if (value === undefined) sessionStorage.removeItem(key)
        else sessionStorage.setItem(key, value)
      } catch {
        // It is then forgotten with the page.
      }
    }
  }
}
