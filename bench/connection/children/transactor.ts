import { dial, type Line } from "../clients/raw.js"
import { kinds, writeCount } from "../writes.js"
import { obey } from "./obey.js"

const [, , url = "", apiKey = ""] = process.argv

let line: Line | undefined

const ask = async (method: string, params: object): Promise<unknown> => {
  const result = await line?.request(method, params)
  // A refusal is quick, but is no answer.
  if (typeof result !== "object" || result === null || ("success" in result && result.success !== true)) {
    throw new Error(`${method} failed: ${JSON.stringify(result)}`)
  }
  return result
}

const idOf = (begun: unknown): string =>
  typeof begun === "object" && begun !== null && "transaction_id" in begun ? String(begun.transaction_id) : ""

const argumentsOf = (kind: typeof kinds[number], index: number): object =>
  kind === "filesystem.write"
    ? { path: `bench/${index}.txt`, content: `${performance.now()}`.padEnd(1000, "."), create_parents: true }
    : { key: `bench.${index}`, value: `${performance.now()}`.padEnd(1000, ".") }

const writeAll = async (kind: typeof kinds[number], transaction: string | undefined): Promise<void> => {
  for (let index = 0; index < writeCount; index++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as an agent does
    await ask("capabilities.invoke", {
      capability: kind,
      arguments: argumentsOf(kind, index),
      transaction_id: transaction
    })
  }
}

/** The bare client, which writes ten times: alone, or in a transaction. Says how many milliseconds that takes. */
obey({
  open: async () => {
    line = await dial(url, { authorization: `Bearer ${apiKey}` })
    return []
  },
  alone: async (kind = 0) => {
    const start = performance.now()
    await writeAll(kinds[kind] ?? kinds[0], undefined)
    return [performance.now() - start]
  },
  transaction: async (kind = 0) => {
    const start = performance.now()
    const id = idOf(await ask("transaction.begin", {}))
    await writeAll(kinds[kind] ?? kinds[0], id)
    await ask("transaction.commit", { transaction_id: id })
    return [performance.now() - start]
  }
})
