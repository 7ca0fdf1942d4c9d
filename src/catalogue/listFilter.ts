/** Which capabilities to list; each that is given must hold. */
export interface ListFilter {
  /** The first part of the name: `filesystem` for `filesystem.read`. */
  readonly category?: string | undefined
  readonly tag?: string | undefined
  /** A part of the name, whatever its case. */
  readonly nameContains?: string | undefined
}

/** Whether a capability is one of those. */
export const isListed =
  ({ category, nameContains, tag }: ListFilter) =>
  ({ name, tags }: { readonly name: string; readonly tags: ReadonlyArray<string> }): boolean =>
    (category === undefined || name.startsWith(`${category}.`)) &&
    (tag === undefined || tags.includes(tag)) &&
    (nameContains === undefined || name.toLowerCase().includes(nameContains.toLowerCase()))
