import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import type { Duplex } from "../../connection/Duplex.js"
import type { MethodsService } from "../../local/protocol/methods.js"
import { currentExchange, type Exchange } from "./currentExchange.js"

/** Gives each request an exchange of its own, which its fiber keeps until it has sent the answer. */
export const withExchanges = (methods: MethodsService): MethodsService => ({
  ...methods,
  call: (session, method, params) =>
    Effect.zipRight(
      FiberRef.set<Exchange | undefined>(currentExchange, { fate: "answer" }),
      methods.call(session, method, params)
    )
})

const copiesOf = (fate: Exchange["fate"] | undefined) => {
  switch (fate) {
    case "dropReply":
      return 0
    case "duplicateReply":
      return 2
    default:
      return 1
  }
}

// Progress is told by the same fibers.
const isAnswer = (text: string) => text.startsWith("{\"jsonrpc\":\"2.0\",\"id\":")

/** The gateway's end of a connection, on which answers are lost or arrive twice as their exchanges say. */
export const withFates = (duplex: Duplex): Duplex => ({
  ...duplex,
  send: (text) => {
    if (!isAnswer(text)) return duplex.send(text)
    // An answer is sent by the fiber of its request.
    const exchange = Option.flatMapNullable(Fiber.getCurrentFiber(), (fiber) => fiber.getFiberRef(currentExchange))
    const copies = copiesOf(Option.getOrUndefined(exchange)?.fate)
    let isTaken = true
    for (let sent = 0; sent < copies; sent++) isTaken = duplex.send(text) && isTaken
    return isTaken
  }
})
