import * as FastCheck from "effect/FastCheck"

/** One invocation, of a name that exists or not, with arguments that fit or do not. */
export interface Call {
  readonly do: "call"
  readonly name: string
  readonly input: { readonly [name: string]: unknown }
  readonly idempotencyKey?: string | undefined
}

/** Several steps that are one. */
export type Region =
  /** What is inside waits for approvals. */
  | { readonly do: "awaiting"; readonly steps: ReadonlyArray<Step> }
  /** It ends at the first failure inside if it is strict, and fails after so many steps if that is said. */
  | {
    readonly do: "transaction"
    readonly steps: ReadonlyArray<Step>
    readonly isStrict: boolean
    readonly failsAfter: number | undefined
  }

export type Step =
  | Call
  /** What may need approval fails at once then, and its caller waits for what comes of it. */
  | { readonly do: "ask"; readonly call: Call }
  | { readonly do: "update"; readonly key: string; readonly hasInitial: boolean }
  | { readonly do: "outcome"; readonly idempotencyKey: string }
  | Region

/** What a human says to a request. */
export type Verdict = "approve" | "reject" | "expire"

export interface Program {
  readonly steps: ReadonlyArray<Step>
  /** For the requests in their order; those after the last are rejected. */
  readonly verdicts: ReadonlyArray<Verdict>
}

const { constant, constantFrom, record } = FastCheck

const path = constantFrom(
  "a.txt",
  "/workspace/b.txt",
  "notes/one.txt",
  "notes",
  "new/deep/c.txt",
  "nowhere/d.txt",
  "../outside.txt",
  "/etc/passwd"
)

const key = FastCheck.oneof(
  { arbitrary: constantFrom("one", "two", "two.more"), weight: 8 },
  { arbitrary: constantFrom("", "k".repeat(513)), weight: 1 }
)

const content = constantFrom("", "one\n", "one two\ntwo", "Äö 🦑\r\n", "x".repeat(10_000))

const value = FastCheck.oneof(content, constantFrom<unknown>(null, 0, -1.5, false, [], { a: [{ b: null }] }))

const version = constantFrom(0, 1, 2, 3)

const idempotencyKey = constantFrom("key one", "key two")

const call = (name: string, input: FastCheck.Arbitrary<Call["input"]> = constant({})): FastCheck.Arbitrary<Call> =>
  record({ do: constant("call" as const), name: constant(name), input })

const files = FastCheck.oneof(
  call("filesystem.write", record({ path, content, create_parents: FastCheck.boolean() })),
  call("filesystem.append", record({ path, content })),
  call(
    "filesystem.edit",
    record({ path, pattern: constantFrom("one", "two"), replace: content, replace_all: FastCheck.boolean() })
  ),
  call("filesystem.copy", record({ source: path, destination: path, overwrite: FastCheck.boolean() })),
  call("filesystem.move", record({ source: path, destination: path, overwrite: FastCheck.boolean() })),
  call("filesystem.read", record({ path })),
  call("filesystem.list", record({ path: constantFrom("/workspace", "notes", "a.txt", "nowhere") })),
  call("filesystem.stat", record({ path })),
  call("filesystem.search", record({ path: constant("/workspace"), pattern: constantFrom("*.txt", "**/*", "[") }))
)

const state = FastCheck.oneof(
  ...["session", "persistent"].flatMap((tier) => [
    call(`state.${tier}.set`, record({ key, value })),
    call(`state.${tier}.get`, record({ key })),
    call(`state.${tier}.list`)
  ]),
  call("state.session.delete", record({ key })),
  call("state.persistent.get", record({ key, version })),
  call("state.persistent.history", record({ key })),
  call("state.shared.set", record({ key, value, expected_version: version })),
  call("state.shared.get", record({ key })),
  call("state.shared.delete", record({ key })),
  call("state.shared.list", record({ prefix: constantFrom("", "two") }))
)

const others = FastCheck.oneof(
  call("alerts.send", record({ message: content })),
  call("alerts.list", record({ status: constantFrom("pending", "all") })),
  call("alerts.acknowledge", record({ alert_id: constant("alert-none") })),
  call("comms.send", record({ to: constantFrom("agent", "nobody"), message: content })),
  call("comms.receive"),
  call("agent.whoami"),
  call("shop.price", record({ item: constantFrom("tea", "nothing") }))
)

// They must not come to a handler.
const refused = FastCheck.oneof(
  call("comms.broadcast", record({ message: content })),
  call("process.run", record({ command: constant("true") })),
  call(
    "filesystem.read",
    constantFrom<Call["input"]>({}, { path: 7 }, { path: "a.txt", ofset: 1 }, { path: "a\u0000" })
  ),
  call("state.shared.set", constantFrom<Call["input"]>({ key: "one" }, { key: "one", value: 1, expected_version: -1 })),
  call("shop.price", constantFrom<Call["input"]>({}, { item: 1 })),
  call("filesystem.fly", record({ path }))
)

const approvable = FastCheck.oneof(
  call("filesystem.delete", record({ path })),
  call("state.persistent.delete", record({ key })),
  call("shop.order", record({ item: constantFrom("tea", "nothing") }))
)

const plain = FastCheck.oneof(
  { arbitrary: files, weight: 6 },
  { arbitrary: state, weight: 6 },
  { arbitrary: others, weight: 2 },
  { arbitrary: refused, weight: 1 }
)

const keyed = FastCheck.tuple(FastCheck.oneof(files, state), idempotencyKey).map(([made, idempotencyKey]): Call => ({
  ...made,
  idempotencyKey
}))

const unasked: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  { arbitrary: plain, weight: 12 },
  { arbitrary: keyed, weight: 2 },
  { arbitrary: record({ do: constant("outcome" as const), idempotencyKey }), weight: 1 },
  { arbitrary: record({ do: constant("update" as const), key, hasInitial: FastCheck.boolean() }), weight: 1 }
)

const leaf: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  { arbitrary: unasked, weight: 5 },
  { arbitrary: record({ do: constant("ask" as const), call: approvable }), weight: 1 }
)

const transactionOf = (inside: FastCheck.Arbitrary<Step>) =>
  record({
    do: constant("transaction" as const),
    steps: FastCheck.array(inside, { maxLength: 6 }),
    isStrict: FastCheck.boolean(),
    failsAfter: FastCheck.option(FastCheck.nat(6), { nil: undefined })
  })

// Nothing in it waits for a human: a refusal ends the transaction too, and which of both the program is told first is a matter of time.
const transaction = transactionOf(
  FastCheck.oneof({ arbitrary: unasked, weight: 6 }, { arbitrary: transactionOf(unasked), weight: 1 })
)

const awaiting = record({
  do: constant("awaiting" as const),
  steps: FastCheck.array(
    FastCheck.oneof(
      { arbitrary: leaf, weight: 6 },
      { arbitrary: approvable, weight: 2 },
      { arbitrary: transaction, weight: 1 }
    ),
    { maxLength: 6 }
  )
})

export const program: FastCheck.Arbitrary<Program> = record({
  steps: FastCheck.array(
    FastCheck.oneof(
      { arbitrary: leaf, weight: 4 },
      { arbitrary: transaction, weight: 1 },
      { arbitrary: awaiting, weight: 1 }
    ),
    { minLength: 1, maxLength: 12 }
  ),
  verdicts: FastCheck.array(constantFrom("approve" as const, "reject" as const, "expire" as const), { maxLength: 8 })
})
