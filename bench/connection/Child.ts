import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"

/** The core of each side. */
export const Core = { server: 0, client: 1 } as const

const runsOn = (core: number): boolean =>
  spawnSync("taskset", ["-c", String(core), process.execPath, "--version"], { stdio: "ignore" }).status === 0

/** Whether client and server have a core each to themselves. */
export const isPinned = availableParallelism() > 1 && runsOn(Core.server) && runsOn(Core.client)

const longestOrder = 60_000

const running = new Set<ChildProcess>()

/** Ends whatever still runs. */
export const endAll = async (): Promise<void> => {
  await Promise.all([...running].map(end))
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, "exit")
  child.kill("SIGKILL")
  await exited
}

// Ctrl-C must not leave a process behind.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})

/** Starts Node on a core. `ipc` is for a child that obeys; else its standard output is read. */
export const start = (core: number, args: ReadonlyArray<string>, output: "ipc" | "pipe"): ChildProcess => {
  const command = [process.execPath, ...args]
  const [program = "", ...rest] = isPinned ? ["taskset", "-c", String(core), ...command] : command
  const child = spawn(program, rest, {
    stdio: output === "ipc" ? ["ignore", "ignore", "inherit", "ipc"] : ["ignore", "pipe", "inherit"],
    // What the environment tells Node, such as a loader, is not for what is measured.
    env: { ...process.env, NODE_OPTIONS: "" }
  })
  running.add(child)
  child.on("exit", () => running.delete(child))
  return child
}

/** What a child has on its standard output first; fails where there is nothing within the deadline. */
export const firstOutput = (child: ChildProcess, milliseconds = 20_000): Promise<string> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("A child has nothing to say")), milliseconds)
    child.stdout?.setEncoding("utf8").once("data", (text) => {
      clearTimeout(timer)
      resolve(String(text))
    })
    child.once("exit", (code) => {
      clearTimeout(timer)
      reject(new Error(`A child ended with ${code}`))
    })
  })

/** Waits for a child that ends by itself, and ends it where it does not. */
export const ended = async (child: ChildProcess, milliseconds = 10_000): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds)
  await once(child, "exit")
  clearTimeout(timer)
}

/** A process that does what it is told. */
export interface Child {
  readonly ask: (order: string, ...numbers: ReadonlyArray<number>) => Promise<ReadonlyArray<number>>
  readonly end: () => Promise<void>
}

/** Starts a program that obeys. */
export const obeying = (core: number, args: ReadonlyArray<string>): Child => {
  const child = start(core, args, "ipc")
  const pending = new Map<number, (answer: ReadonlyArray<unknown> | Error) => void>()
  let lastId = 0
  child.on("message", (message) => {
    if (!Array.isArray(message)) return
    const [id, ...answer] = message
    pending.get(id)?.(answer)
  })
  child.on("exit", (code, signal) => {
    for (const settle of pending.values()) settle(new Error(`${args.join(" ")} ended with ${code ?? signal}`))
  })
  return {
    ask: (order, ...numbers) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        const settle = (answer: ReadonlyArray<unknown> | Error) => {
          clearTimeout(timer)
          pending.delete(id)
          if (answer instanceof Error) return reject(answer)
          const figures = answer.filter((one) => typeof one === "number")
          if (figures.length === answer.length) resolve(figures)
          else reject(new Error(`${order} of ${args.join(" ")} failed: ${answer.join(" ")}`))
        }
        const timer = setTimeout(() => settle(new Error(`${order} of ${args.join(" ")} takes too long`)), longestOrder)
        pending.set(id, settle)
        child.send([id, order, ...numbers])
      }),
    end: () => end(child)
  }
}
