import type { Chance } from "./Chance.js"
import { countOf, fields, leaf, list, replaceAt, textOf, type Tree } from "./Tree.js"

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`

const deepFields = (levels: number) => `${"{\"a\":".repeat(levels)}0${"}".repeat(levels)}`

/** Leaves that programs trip over. */
const leaves = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "-1",
  "1.5",
  "1e999",
  "-1e999",
  "1e-999",
  "9007199254740993",
  "123456789012345678901234567890",
  "\"\"",
  "\" \"",
  "\"\\u0000\"",
  "\"\\ud800\"",
  "\"\\udc00x\\ud83d\"",
  "\"\\u2028\\n\\r\\t\"",
  "\"__proto__\"",
  "\"constructor\"",
  "\"toString\"",
  "\"2.0\"",
  "\"NaN\"",
  "\"1970-01-01T00:00:00Z\"",
  "\"2026-13-45T99:99:99Z\"",
  "\"../../../etc/passwd\"",
  "\"/workspace/a.txt\"",
  "\"/workspace/../..\"",
  "\"/workspace/\\u0000\"",
  "\"(a+)+$\"",
  "\"[\"",
  "\"**/*\"",
  "\"{a,{b,{c,d}}}\"",
  "\"utf-16\"",
  "[]",
  "{}",
  "{\"__proto__\":{\"polluted\":true}}",
  "{\"constructor\":{\"prototype\":{\"polluted\":true}}}",
  "{\"toString\":null,\"valueOf\":1,\"toJSON\":{}}",
  "{\"length\":4294967295,\"0\":1}",
  deep(130),
  deepFields(130),
  deep(5000),
  `"${"x".repeat(300)}"`
]

/** Rarer, because they are slow to handle. */
const heavyLeaves = [`"${"é".repeat(100_000)}"`, deep(50_000), `[${"0,".repeat(20_000)}0]`, deepFields(20_000)]

const keys = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "then",
  "length",
  "",
  "id",
  "method",
  "params",
  "jsonrpc",
  "result",
  "error",
  "code",
  "message",
  "data",
  "type",
  "context",
  "recovery",
  "retry_after",
  "path",
  "arguments",
  "capability",
  "name",
  "idempotency_key",
  "session_id",
  "\ud800"
]

const anyLeaf = (chance: Chance): Tree => leaf(chance.oneOf(chance.happens(0.003) ? heavyLeaves : leaves))

const without = <A>(items: ReadonlyArray<A>, index: number) => items.filter((_, at) => at !== index)

const inserted = <A>(items: ReadonlyArray<A>, index: number, item: A) => [
  ...items.slice(0, index),
  item,
  ...items.slice(index)
]

const mutateFields = (chance: Chance, entries: ReadonlyArray<readonly [string, Tree]>, donor: Tree): Tree => {
  const at = chance.below(entries.length)
  const chosen = entries[at]
  switch (chosen === undefined ? 0 : chance.below(5)) {
    case 0:
      return fields(inserted(entries, at, [chance.oneOf(keys), chance.happens(0.5) ? anyLeaf(chance) : donor]))
    case 1:
      return fields(without(entries, at))
    case 2:
      return fields(entries.map(([key, value], index) => [index === at ? chance.oneOf(keys) : key, value]))
    case 3:
      // The same key again, with another value.
      return fields([...entries, [chosen?.[0] ?? "", anyLeaf(chance)]])
    default:
      return anyLeaf(chance)
  }
}

const mutateList = (chance: Chance, items: ReadonlyArray<Tree>, donor: Tree): Tree => {
  const at = chance.below(items.length)
  switch (items.length === 0 ? 0 : chance.below(4)) {
    case 0:
      return list(inserted(items, at, chance.happens(0.5) ? anyLeaf(chance) : donor))
    case 1:
      return list(without(items, at))
    case 2:
      return list(Array.from({ length: chance.oneOf([2, 3, 50]) }, () => items).flat().slice(0, 500))
    default:
      return anyLeaf(chance)
  }
}

const mutateNode = (chance: Chance, node: Tree, donor: Tree): Tree => {
  if (chance.happens(0.1)) return donor
  if (chance.happens(0.05)) return chance.happens(0.5) ? list([node]) : fields([[chance.oneOf(keys), node]])
  switch (node._tag) {
    case "Leaf":
      return anyLeaf(chance)
    case "List":
      return mutateList(chance, node.items, donor)
    case "Fields":
      return mutateFields(chance, node.entries, donor)
  }
}

/** A tree with a few of its parts changed, or replaced by what another has there. */
export const mutateTree = (chance: Chance, tree: Tree, donors: ReadonlyArray<Tree>): Tree => {
  let mutated = tree
  for (let count = 1 + chance.below(3); count > 0; count--) {
    const donor = chance.oneOf(donors)
    let part = donor
    replaceAt(donor, chance.below(countOf(donor)), (chosen) => part = chosen)
    mutated = replaceAt(mutated, chance.below(countOf(mutated)), (node) => mutateNode(chance, node, part))
  }
  return mutated
}

const noise = ["\"", "\\", "{", "}", "[", "]", ",", ":", "\u0000", "\ud800", "1", "e", "-", ".", "é", " ", "\n", "\\u"]

/** A text that is no longer quite what it was. */
export const mutateText = (chance: Chance, text: string): string => {
  const at = chance.below(text.length)
  switch (chance.below(4)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + chance.oneOf(noise) + text.slice(at)
    case 2:
      return text.slice(0, at) + chance.oneOf(noise) + text.slice(at + 1)
    default:
      return text.slice(0, at) + text.slice(at + 1 + chance.below(5))
  }
}

/** The text of a message out of valid ones: most often with a few changes, at times no JSON any more. */
export const mutatedText = (chance: Chance, valid: ReadonlyArray<Tree>): string => {
  const chosen = chance.oneOf(valid)
  const tree = chance.happens(0.9) ? mutateTree(chance, chosen, valid) : chosen
  const text = textOf(tree)
  return chance.happens(0.08) ? mutateText(chance, text) : text
}
