import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { KruxosError } from "../../src/errors/index.js"

const common = {
  message: "It went wrong",
  recovery: [
    { action: "retry", description: "Try again", capability: "filesystem.read", inputs: { path: "/workspace/a" } },
    { action: "give_up", description: "" }
  ],
  retryable: true,
  retryAfter: Duration.millis(1500),
  context: { other_detail: [1, { two: null }] },
  capability: "filesystem.read"
}

const commonNames = new Set(["_tag", "type", "cause", ...Object.keys(common)])

// Where what a field holds is bound to the wire type.
const bound: { readonly [tag: string]: object } = {
  CapabilityUnavailable: { reason: "SessionError" },
  CapabilityError: { type: "pack.SomethingElse" }
}

const samples: ReadonlyArray<unknown> = [
  "a text",
  7,
  true,
  Duration.millis(2500),
  ["one", "two"],
  [{ capability: "filesystem.write", resource: "/workspace/a", savedAs: "/workspace/.trash/a" }],
  { one: 1 }
]

const sampleOf = (field: Schema.Struct.Field) => {
  const schema = Schema.typeSchema(Schema.Struct({ field }))
  const sample = samples.find((value) => Schema.is(schema)({ field: value }))
  return Option.getOrThrowWith(Option.fromNullable(sample), () => new Error("No sample fits a field of an error"))
}

const make = (member: typeof KruxosError.members[number]): KruxosError => {
  const own = Object.entries<Schema.Struct.Field>(member.fields).filter(([name]) => !commonNames.has(name))
  const error: unknown = Reflect.construct(member, [{
    ...common,
    ...Object.fromEntries(own.map(([name, field]) => [name, sampleOf(field)])),
    ...bound[member._tag]
  }])
  return Schema.validateSync(KruxosError)(error)
}

/** One error of every class, with every field of its own. */
export const everyError: ReadonlyArray<KruxosError> = KruxosError.members.map(make)

/** The fields that only the class of an error has. */
export const ownFields = (error: KruxosError): { readonly [name: string]: unknown } =>
  Object.fromEntries(Object.entries(error).filter(([name, value]) => !commonNames.has(name) && value !== undefined))

/** The fields that every error has, but for its context. */
export const commonFields = ({ capability, message, recovery, retryAfter, retryable }: KruxosError) => ({
  message,
  recovery,
  retryable,
  retryAfter: retryAfter === undefined ? undefined : Duration.toMillis(retryAfter),
  capability
})
