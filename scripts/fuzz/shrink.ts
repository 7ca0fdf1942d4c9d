import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Input } from "./Target.js"
import { countOf, fields, leaf, list, replaceAt, textOf, type Tree, treeOf } from "./Tree.js"

const mostAttempts = 300

const without = <A>(items: ReadonlyArray<A>, index: number) => items.filter((_, at) => at !== index)

const smallerNodes = (node: Tree): ReadonlyArray<Tree> => {
  switch (node._tag) {
    case "Leaf":
      return node.text.length > 4 ? [leaf("0"), leaf("\"\"")] : []
    case "List":
      return [leaf("0"), ...node.items, ...node.items.map((_, index) => list(without(node.items, index)))]
    case "Fields":
      return [leaf("0"), ...node.entries.map((_, index) => fields(without(node.entries, index)))]
  }
}

const halves = (text: string) => [text.slice(0, text.length / 2), text.slice(text.length / 2)]

const smallerTrees = (tree: Tree): ReadonlyArray<Tree> =>
  Array.from({ length: Math.min(countOf(tree), mostAttempts) }, (_, index) => index).flatMap((index) => {
    let smaller: ReadonlyArray<Tree> = []
    replaceAt(tree, index, (node) => {
      smaller = smallerNodes(node)
      return node
    })
    return smaller.map((node) => replaceAt(tree, index, () => node))
  })

const smallerTexts = (text: string): ReadonlyArray<string> =>
  Either.match(Either.try(() => treeOf(JSON.parse(text))), {
    onLeft: () => halves(text),
    onRight: (tree) => smallerTrees(tree).map(textOf)
  }).filter((smaller) => smaller.length < text.length)

const smallerInputs = (input: Input): ReadonlyArray<Input> => [
  ...(input.length > 1 ? input.map((_, index) => without(input, index)) : []),
  ...input.flatMap((text, index) => smallerTexts(text).map((smaller) => input.with(index, smaller)))
]

/** A smaller input of which the same is true, found within a few hundred attempts. */
export const shrink = (input: Input, isStillWrong: (input: Input) => Effect.Effect<boolean>): Effect.Effect<Input> =>
  Effect.gen(function*() {
    let smallest = input
    let candidates = smallerInputs(input)
    for (let attempt = 0, next = 0; attempt < mostAttempts && next < candidates.length; attempt++) {
      const candidate = candidates[next++] ?? input
      if (yield* isStillWrong(candidate)) {
        smallest = candidate
        candidates = smallerInputs(candidate)
        next = 0
      }
    }
    return smallest
  })
