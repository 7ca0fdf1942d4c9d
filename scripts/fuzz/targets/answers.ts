import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import type { Dial } from "../../../src/connection/Duplex.js"
import { decodeFrame, successOf } from "../../../src/connection/jsonRpc.js"
import * as Memory from "../../../src/connection/memory.js"
import * as SocketLink from "../../../src/connection/socketLink.js"
import { KruxosError } from "../../../src/errors/KruxosError.js"
import * as Capabilities from "../../../src/services/Capabilities.js"
import { connectionOptions } from "../../../src/services/GatewayOptions.js"
import { answers, goodAnswers, idPlaceholder, initializeResult } from "../corpus.js"
import { mutatedText } from "../mutate.js"
import { type Input, type Making, Wrong } from "../Target.js"
import { renewed } from "./gateway.js"

const requestTimeoutMillis = 100

const options = connectionOptions({
  requestTimeout: requestTimeoutMillis,
  reconnect: Schedule.spaced("1 millis")
}, Redacted.make("key"))

/** A gateway that puts the given frames before each of its answers. */
interface Scripted {
  readonly dial: Dial
  /** What goes before the answers from now on. */
  readonly garbage: (frames: Input) => void
}

const good: ReadonlyMap<string, unknown> = new Map<string, unknown>(Object.entries(goodAnswers))

const scripted = (native: boolean): Scripted => {
  let frames: Input = []
  return {
    garbage: (given) => {
      frames = given
    },
    dial: Effect.sync(() => {
      const [client, server] = Memory.makePair()
      server.listen({
        onText: (text) => {
          const message = decodeFrame(text)
          if (message._tag !== "Request") return
          for (const frame of frames) server.send(frame.replaceAll(idPlaceholder, JSON.stringify(message.id)))
          const result = message.method === "initialize" ? initializeResult(native) : good.get(message.method)
          server.send(JSON.stringify(successOf(message.id, result)))
        },
        onBinary: () => {},
        onPong: () => {},
        onClose: () => {}
      })
      return client
    })
  }
}

const tags: ReadonlySet<string> = new Set(KruxosError.members.map(({ _tag }) => _tag))

/** An effect may fail, but only with one of the errors that are in its signature. */
const typed = (what: string, effect: Effect.Effect<unknown, { readonly _tag: string }>): Effect.Effect<void, Wrong> =>
  Effect.flatMap(Effect.exit(effect), (exit) => {
    if (Exit.isSuccess(exit)) return Effect.void
    return Cause.isFailType(exit.cause) && tags.has(exit.cause.error._tag)
      ? Effect.void
      : Effect.fail(new Wrong({ message: `${what} ended with ${Cause.pretty(exit.cause)}` }))
  })

const client = (native: boolean) =>
  Effect.gen(function*() {
    const { dial, garbage } = scripted(native)
    const link = yield* Effect.orDie(SocketLink.make(dial, options))
    const capabilities = Capabilities.make(link, builtIn, requestTimeoutMillis)
    const operations: { readonly [name: string]: Effect.Effect<unknown, { readonly _tag: string }> } = {
      read: capabilities.invoke("filesystem.read", { path: "a.txt" }),
      write: capabilities.invoke("filesystem.write", { path: "a.txt", content: "" }),
      result: capabilities.invokeResult("agent.whoami"),
      dynamic: capabilities.invokeDynamic("custom.thing", { some: "input" }),
      list: capabilities.list(),
      describe: capabilities.describe("filesystem.read"),
      outcome: capabilities.outcome("key", "filesystem.read"),
      connect: Effect.scoped(SocketLink.make(dial, options))
    }
    return (name: string, frames: Input) =>
      Effect.gen(function*() {
        garbage(frames)
        yield* typed(name, operations[name] ?? Effect.void)
        garbage([])
        const { content } = yield* Effect.mapError(
          capabilities.invoke("filesystem.read", { path: "a.txt" }, { timeout: "5 seconds" }),
          (cause) => new Wrong({ message: `The connection is of no use afterwards: ${cause._tag} ${cause.message}` })
        )
        if (content !== "hello") return yield* new Wrong({ message: `An answer became another's: ${content}` })
      })
  })

const operations = ["read", "write", "result", "dynamic", "list", "describe", "outcome", "connect"]

/** How the SDK reads what a gateway answers. An input is an operation, the gateway's dialect, and frames. */
export const gatewayAnswers: Making = {
  name: "answers",
  make: Effect.gen(function*() {
    const native = yield* renewed(client(true), 2000)
    const mcp = yield* renewed(client(false), 2000)
    return {
      generate: (chance) => [
        chance.oneOf(operations),
        chance.oneOf(["native", "mcp"]),
        ...Array.from({ length: chance.oneOf([1, 1, 1, 3]) }, () => mutatedText(chance, answers))
      ],
      prepare: Effect.zipRight(native.prepare, mcp.prepare),
      check: ([operation = "", dialect, ...frames]) => {
        const { use } = dialect === "native" ? native : mcp
        return use((client) => client(operation, frames))
      }
    }
  })
}
