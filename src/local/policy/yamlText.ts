import * as Either from "effect/Either"
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap
} from "yaml"
import type { DocumentPath } from "./issues.js"

/** A place in a text; lines and columns count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Something that is wrong at a place. */
export interface Misplaced extends Place {
  readonly message: string
}

/** A YAML text as plain values, and where each of them is written. */
export interface YamlText {
  readonly value: unknown
  /** Where a value is written, or, with `key`, its key; where there is none, what it would be in. */
  readonly placeOf: (path: DocumentPath, key?: boolean) => Place
}

/** How often anchors may be referred to, counted through the anchors within them. */
const mostAliases = 100

const mostDepth = 64

/** A depth that no policy has would exhaust the parser's stack. */
const isTooDeep = (text: string): boolean => {
  let depth = 0
  for (const character of text) {
    if (character === "[" || character === "{") depth++
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1)
    if (depth > mostDepth) return true
  }
  return /^ *(?:[-?:] +){64}/m.test(text)
}

const resolved = (document: Document, node: unknown): Node | undefined => {
  const target = isAlias(node) ? node.resolve(document) : node
  return isNode(target) ? target : undefined
}

const offsetOf = (node: unknown): number | undefined => isNode(node) ? node.range?.[0] : undefined

type MapPair = YAMLMap["items"][number]

/** Finds the pairs of mappings by their keys; each mapping is gone over once. */
const makeFind = () => {
  const known = new WeakMap<YAMLMap, ReadonlyMap<string, MapPair>>()
  return (map: YAMLMap, key: string): MapPair | undefined => {
    const pairs = known.get(map) ??
      new Map(map.items.flatMap((pair) => isScalar(pair.key) ? [[String(pair.key.value), pair] as const] : []))
    known.set(map, pairs)
    return pairs.get(key)
  }
}

const makeOffsetAt = (document: Document) => {
  const find = makeFind()
  return (path: DocumentPath, key: boolean): number => {
    let offset = offsetOf(document.contents) ?? 0
    let node = resolved(document, document.contents)
    for (const [index, segment] of path.entries()) {
      if (isMap(node)) {
        const pair = find(node, String(segment))
        if (pair === undefined) return offset
        const ofKey = offsetOf(pair.key) ?? offset
        const isEmpty = isScalar(pair.value) && pair.value.source === ""
        offset = (key && index === path.length - 1) || isEmpty ? ofKey : offsetOf(pair.value) ?? ofKey
        node = resolved(document, pair.value)
      } else if (isSeq(node)) {
        const item = node.items[Number(segment)]
        offset = offsetOf(item) ?? offset
        node = resolved(document, item)
      } else return offset
    }
    return offset
  }
}

// The parser's own check compares every key with every other.
const wrongKeys = (document: Document): ReadonlyArray<{ readonly offset: number; readonly message: string }> => {
  const found: Array<{ readonly offset: number; readonly message: string }> = []
  const open: Array<unknown> = [document.contents]
  while (open.length > 0) {
    const node = open.pop()
    if (isSeq(node)) { for (const item of node.items) open.push(item) }
    if (!isMap(node)) continue
    const keys = new Set<string>()
    for (const { key, value } of node.items) {
      open.push(value)
      const name = isScalar(key) ? String(key.value) : undefined
      if (name === undefined) continue
      const problem = name === "__proto__" ? "no key" : keys.has(name) ? "here a second time in the same mapping" : ""
      if (problem !== "") found.push({ offset: offsetOf(key) ?? 0, message: `${JSON.stringify(name)} is ${problem}` })
      keys.add(name)
    }
  }
  return found
}

const reasonOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** Reads a YAML text with one document, bounded in depth and in what its aliases come to. */
export const parseYaml = (text: string): Either.Either<YamlText, ReadonlyArray<Misplaced>> => {
  const whole = (message: string) => Either.left([{ line: 1, column: 1, message }])
  if (isTooDeep(text)) return whole(`lists and mappings are nested more than ${mostDepth} deep`)
  try {
    const lineCounter = new LineCounter()
    const document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: true,
      logLevel: "error"
    })
    const placeAt = (offset: number): Place => {
      const { col, line } = lineCounter.linePos(Math.min(offset, text.length))
      return { line: Math.max(1, line), column: Math.max(1, col) }
    }
    const wrong = [
      ...[...document.errors, ...document.warnings].map(({ message, pos }) => ({ ...placeAt(pos[0]), message })),
      ...wrongKeys(document).map(({ message, offset }) => ({ ...placeAt(offset), message }))
    ]
    if (wrong.length > 0) return Either.left(wrong)
    const value: unknown = document.toJS({ maxAliasCount: mostAliases })
    const offsetAt = makeOffsetAt(document)
    return Either.right({ value, placeOf: (path, key = false) => placeAt(offsetAt(path, key)) })
  } catch (cause) {
    return whole(`this cannot be read as YAML: ${reasonOf(cause)}`)
  }
}
