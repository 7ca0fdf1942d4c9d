import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { builtInProse } from "../../../src/catalogue/prose/builtIn.js"
import * as Audit from "../../../src/local/audit/Audit.js"
import { makeRegistrations } from "../../../src/local/capabilities/builtIn.js"
import * as Directory from "../../../src/local/capabilities/Directory.js"
import type { Registration } from "../../../src/local/capabilities/Handler.js"
import * as ProcessTable from "../../../src/local/capabilities/process/ProcessTable.js"
import * as HealthCheck from "../../../src/local/capabilities/system/healthCheck.js"
import * as Sampler from "../../../src/local/capabilities/system/Sampler.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import * as SandboxLayer from "../../../src/local/sandbox/sandboxLayer.js"
import * as State from "../../../src/local/state/State.js"
import * as Store from "../../../src/local/store/Store.js"
import * as Supervision from "../../../src/local/supervision/Supervision.js"

/** What the local gateway lists and does not carry out yet. */
const missing = {
  email: [
    "email.search",
    "email.read",
    "email.send",
    "email.delete",
    "email.move",
    "email.draft",
    "email.bulk_delete"
  ],
  proxy: [
    "proxy.cancel_write",
    "proxy.list_writes"
  ],
  slack: [
    "slack.search",
    "slack.read",
    "slack.channels",
    "slack.send",
    "slack.reply",
    "slack.react",
    "slack.remove_react"
  ]
}

const registrations = Effect.scoped(makeRegistrations).pipe(
  Effect.provide(Layer.mergeAll(
    Layer.provideMerge(HealthCheck.layer, Sampler.layer),
    State.layer(),
    Layer.provide(Audit.layer(undefined), Supervision.layer()),
    Layer.provide(ProcessTable.layer, SandboxLayer.layer({}))
  )),
  Effect.provide(Layer.mergeAll(
    Store.layer({ filename: ":memory:" }),
    Layer.succeed(Policy.Policy, Policy.allowAll),
    Layer.succeed(Directory.Directory, Directory.make(builtIn, builtInProse, Policy.allowAll))
  ))
)

// Arguments are not looked at where nothing would be done with them.
const refusal = ({ prepare }: Registration) => Either.getOrUndefined(Either.flip(prepare({ no_such_input: 1 })))

it.effect("the local gateway registers the whole catalogue, and carries out all but what is named here", () =>
  Effect.gen(function*() {
    const registered = yield* registrations
    expect(registered.map(({ capability }) => capability.name).sort()).toEqual(Object.keys(builtIn).sort())
    const unavailable = registered.filter((registration) => refusal(registration)?._tag === "ServiceUnavailable")
    expect(unavailable.map(({ capability }) => capability.name).sort()).toEqual(Object.values(missing).flat().sort())
  }))

it.effect("what is not carried out says so, and that trying again is in vain", () =>
  Effect.gen(function*() {
    const registered = yield* registrations
    for (const [category, names] of Object.entries(missing)) {
      for (const name of names) {
        const registration = registered.find(({ capability }) => capability.name === name)
        expect(registration === undefined ? undefined : refusal(registration)).toMatchObject({
          _tag: "ServiceUnavailable",
          capability: name,
          service: category,
          retryable: false
        })
      }
    }
  }))
