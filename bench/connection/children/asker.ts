import type { Session } from "../clients/Client.js"
import { sessionOf } from "../clients/promises.js"
import { connect, type Question } from "../clients/raw.js"
import { obey } from "./obey.js"

interface Server {
  readonly url: string
  readonly key: string
  readonly questions: ReadonlyArray<Question>
}

const servers: ReadonlyArray<Server> = JSON.parse(process.argv[2] ?? "[]")

const sessions: Array<Session> = []

// A refusal is quick, but is no answer.
const isAnswered = (result: unknown): boolean =>
  typeof result === "object" && result !== null && !("isError" in result) && !("success" in result && !result.success)

/** The bare client, which asks several servers several things: the numbers of its sessions follow the list. */
obey({
  open: async () => {
    for (const { key, questions, url } of servers) {
      for (const question of questions) {
        // oxlint-disable-next-line no-await-in-loop -- nothing is gained by hurrying
        const connection = await connect(url, question, { authorization: `Bearer ${key}` })
        // oxlint-disable-next-line no-await-in-loop
        const result = await connection.call()
        if (!isAnswered(result)) throw new Error(`${question.method} failed: ${JSON.stringify(result)}`)
        sessions.push(sessionOf(connection))
      }
    }
    return []
  },
  throughput: async (index = 0, width = 0, milliseconds = 0) => {
    const session = sessions[index]
    return session === undefined ? [] : [await session.throughput(width, milliseconds)]
  }
})
