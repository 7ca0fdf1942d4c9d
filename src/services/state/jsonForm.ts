import * as Predicate from "effect/Predicate"
import { byteLength } from "../../connection/Duplex.js"

/** What keeps a value from being stored, and where in it that is: `$`, `$.pages[3].title`. */
export interface Unfit {
  readonly path: string
  readonly reason: string
}

/** How many bytes the JSON text of a value may have. */
export const maximumValueBytes = 1024 * 1024

// As deep as the messages that carry values can be.
const deepestNesting = 500

// JSON writes at most so much for one character of a text, and for anything that is no text, with what separates it.
const mostBytesPerCharacter = 6
const mostBytesPerPart = 32

type Step = string | number

const isName = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

const longestPath = 500

const pathOf = (steps: ReadonlyArray<Step>): string => {
  const path = steps.map((step) => {
    if (typeof step === "number") return `[${step}]`
    return isName.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  }).join("")
  return path.length > longestPath ? `$${path.slice(0, longestPath)}…` : `$${path}`
}

// What an object literal makes has this prototype, or none; that of another realm's objects has none either.
const isPlain = (object: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const className = (object: object): string =>
  Predicate.isFunction(object.constructor) && object.constructor.name !== "" && object.constructor !== Object
    ? `an instance of ${object.constructor.name}`
    : "an object with a prototype of its own"

const tooLarge = `the value is larger than ${maximumValueBytes.toLocaleString("en-US")} bytes of JSON`

/** Walks over a value until something is wrong with it; what is in several places counts in each. */
class Walk {
  readonly #path: Array<Step> = []
  readonly #above = new Set<object>()
  readonly #mayLack: boolean
  #characters = 0
  #parts = 0

  constructor(mayLack: boolean) {
    this.#mayLack = mayLack
  }

  /** No JSON text of what was walked over is longer. */
  get mostBytes(): number {
    return this.#characters * mostBytesPerCharacter + this.#parts * mostBytesPerPart
  }

  value(value: unknown): Unfit | undefined {
    this.#parts++
    if (typeof value === "string") this.#characters += value.length
    // Each of them has at least one byte.
    if (this.#parts + this.#characters > maximumValueBytes) return { path: "$", reason: tooLarge }
    switch (typeof value) {
      case "boolean":
      case "string":
        return undefined
      case "number":
        return Number.isFinite(value) ? undefined : this.#unfit(`${value} is not a JSON value`)
      case "object":
        return value === null ? undefined : this.#inside(value)
      case "undefined":
        return this.#unfit("undefined is not a JSON value")
      default:
        return this.#unfit(`a ${typeof value} is not a JSON value`)
    }
  }

  #unfit(reason: string): Unfit {
    return { path: pathOf(this.#path), reason }
  }

  #inside(value: object): Unfit | undefined {
    if (this.#above.has(value)) return this.#unfit("the value contains itself")
    if (this.#path.length === deepestNesting) {
      return this.#unfit(`the value is nested deeper than ${deepestNesting} levels`)
    }
    this.#above.add(value)
    const unfit = Array.isArray(value) ? this.#items(value) : this.#properties(value)
    this.#above.delete(value)
    return unfit
  }

  #items(items: ReadonlyArray<unknown>): Unfit | undefined {
    // By index: a hole is an item too.
    for (let index = 0; index < items.length; index++) {
      const unfit = this.#at(index, items[index])
      if (unfit !== undefined) return unfit
    }
    return undefined
  }

  #properties(object: object): Unfit | undefined {
    if (!isPlain(object)) {
      return this.#unfit(`${className(object)} is not a JSON value, unless a schema encodes it`)
    }
    if (Object.getOwnPropertySymbols(object).length > 0) return this.#unfit("a symbol is no key of a JSON object")
    for (const [name, value] of Object.entries(object)) {
      if (value === undefined && this.#mayLack) continue
      this.#characters += name.length
      const unfit = this.#at(name, value)
      if (unfit !== undefined) return unfit
    }
    return undefined
  }

  #at(step: Step, value: unknown): Unfit | undefined {
    this.#path.push(step)
    const unfit = this.value(value)
    this.#path.pop()
    return unfit
  }
}

/**
 * Why a value cannot be stored as JSON and come back as it is, or undefined. `mayLack`: properties that are undefined are left out.
 */
export const whyUnfit = (value: unknown, mayLack: boolean): Unfit | undefined => {
  const walk = new Walk(mayLack)
  const unfit = walk.value(value)
  if (unfit !== undefined || walk.mostBytes <= maximumValueBytes) return unfit
  return byteLength(JSON.stringify(value)) > maximumValueBytes ? { path: "$", reason: tooLarge } : undefined
}

/** The path of a parse error's issue, written the same way. */
export const pathOfKeys = (keys: ReadonlyArray<PropertyKey>): string =>
  pathOf(keys.map((key) => typeof key === "symbol" ? String(key) : key))
