/**
 * Undoing a write of a versioned key writes its earlier value as a new version. Earlier steps of the same transaction know that value by
 * its former version.
 */
export interface Versions {
  /** The version that a value has now, by the one that a step has known it by. */
  readonly now: (key: string, version: number) => number
  /** The value of a version has been written again, and has another one. */
  readonly renewed: (key: string, version: number, as: number) => void
}

export const make = (): Versions => {
  const renewals = new Map<string, Map<number, number>>()
  return {
    now: (key, version) => {
      const ofKey = renewals.get(key)
      let current = version
      // Versions only grow, so that this ends.
      for (let next = ofKey?.get(current); next !== undefined && next > current; next = ofKey?.get(current)) {
        current = next
      }
      return current
    },
    renewed: (key, version, as) => {
      const ofKey = renewals.get(key) ?? new Map<number, number>()
      renewals.set(key, ofKey.set(version, as))
    }
  }
}
