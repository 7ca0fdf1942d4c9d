/**
 * A JSON text as what it is written like: unlike a parsed value it can have a key twice, and leaves that no value becomes,
 * such as `1e999` or a thousand brackets.
 */
export type Tree =
  | { readonly _tag: "Leaf"; readonly text: string }
  | { readonly _tag: "List"; readonly items: ReadonlyArray<Tree> }
  | { readonly _tag: "Fields"; readonly entries: ReadonlyArray<readonly [key: string, value: Tree]> }

export const leaf = (text: string): Tree => ({ _tag: "Leaf", text })

export const list = (items: ReadonlyArray<Tree>): Tree => ({ _tag: "List", items })

export const fields = (entries: ReadonlyArray<readonly [string, Tree]>): Tree => ({ _tag: "Fields", entries })

const deepest = 100

/** The tree of a value. What is nested deeper than a hundred levels is one leaf. */
export const treeOf = (value: unknown, levels = deepest): Tree => {
  if (levels > 0 && Array.isArray(value)) return list(value.map((item) => treeOf(item, levels - 1)))
  if (levels > 0 && typeof value === "object" && value !== null) {
    return fields(Object.entries(value).map(([key, inner]) => [key, treeOf(inner, levels - 1)]))
  }
  return leaf(JSON.stringify(value) ?? "null")
}

export const textOf = (tree: Tree): string => {
  switch (tree._tag) {
    case "Leaf":
      return tree.text
    case "List":
      return `[${tree.items.map(textOf).join(",")}]`
    case "Fields":
      return `{${tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(",")}}`
  }
}

const childrenOf = (tree: Tree): ReadonlyArray<Tree> => {
  switch (tree._tag) {
    case "Leaf":
      return []
    case "List":
      return tree.items
    case "Fields":
      return tree.entries.map(([, value]) => value)
  }
}

/** How many trees a tree is made of, itself among them. */
export const countOf = (tree: Tree): number => childrenOf(tree).reduce((sum, child) => sum + countOf(child), 1)

/** The tree with one of its trees replaced: 0 is itself, then come its children, each followed by its own. */
export const replaceAt = (tree: Tree, index: number, replace: (tree: Tree) => Tree): Tree => {
  if (index === 0) return replace(tree)
  let rest = index - 1
  const inner = (child: Tree): Tree => {
    const count = countOf(child)
    const replaced = rest >= 0 && rest < count ? replaceAt(child, rest, replace) : child
    rest -= count
    return replaced
  }
  switch (tree._tag) {
    case "Leaf":
      return tree
    case "List":
      return list(tree.items.map(inner))
    case "Fields":
      return fields(tree.entries.map(([key, value]) => [key, inner(value)]))
  }
}
