import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

/** A request that has come, and where its answer goes. */
export interface Answer {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** A gateway whose answers the test gives, in the order in which it is asked. */
export const scripted = Effect.acquireRelease(
  Effect.async<{
    readonly api: string
    readonly asked: ReadonlyArray<Answer>
    readonly close: () => void
  }>((resume) => {
    const asked: Array<Answer> = []
    const server = createServer((request, response) => void asked.push({ request, response }))
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (typeof address !== "object" || address === null) return resume(Effect.dieMessage("There is no port"))
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      resume(Effect.succeed({ api: `http://127.0.0.1:${address.port}/api`, asked, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** Answers with JSON. */
export const answer = ({ response }: Answer, status: number, body: object): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
