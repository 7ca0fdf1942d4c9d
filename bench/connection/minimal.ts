import { type Child, Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"

/** A server that listens. */
export interface Listening extends Child {
  readonly url: string
}

/** Starts a server that obeys, and asks it to listen. */
export const listening = async (args: ReadonlyArray<string>): Promise<Listening> => {
  const child = obeying(Core.server, args)
  const [port] = await child.ask("listen")
  return { ...child, url: `ws://127.0.0.1:${port}/mcp` }
}

/** The server that answers every client, and does as little as it can. */
export const minimalServer = (programs: Programs): Promise<Listening> => listening([programs.server("minimalServer")])
