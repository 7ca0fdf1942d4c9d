import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { atMost } from "./atMost.js"
import type { ControlGroup } from "./cgroups/ControlGroup.js"
import type { RunningGroup } from "./Group.js"
import { type HostProcess, takenBy } from "./processes.js"
import type { Exit, Launch, Launched, Usage } from "./Sandbox.js"
import { codeOfSignal, type Spawned } from "./spawnChild.js"
import type { Watcher } from "./Watcher.js"

// Besides the program there is the launcher.
const ownProcesses = 1

/** Keeps the most that was ever seen, because what has ended is seen no more. */
class Figures {
  #seen: Usage = { cpuMillis: 0, memoryPeakBytes: 0, readBytes: 0, writtenBytes: 0 }
  exceeded: Exit["exceeded"] = undefined

  readonly now = ({ report }: Spawned): Usage => {
    const { cpuMillis = 0, readBytes = 0, writtenBytes = 0 } = report()
    return {
      cpuMillis: Math.max(this.#seen.cpuMillis, cpuMillis),
      memoryPeakBytes: this.#seen.memoryPeakBytes,
      readBytes: Math.max(this.#seen.readBytes, readBytes),
      writtenBytes: Math.max(this.#seen.writtenBytes, writtenBytes)
    }
  }

  readonly look = (pids: ReadonlyArray<number>): { readonly residentBytes: number } => {
    const taken = pids.map(takenBy)
    const sum = (of: (one: ReturnType<typeof takenBy>) => number) => taken.reduce((total, one) => total + of(one), 0)
    const residentBytes = sum((one) => one.residentBytes)
    this.#seen = {
      cpuMillis: Math.max(this.#seen.cpuMillis, sum((one) => one.cpuMillis)),
      memoryPeakBytes: Math.max(this.#seen.memoryPeakBytes, residentBytes),
      readBytes: Math.max(this.#seen.readBytes, sum((one) => one.readBytes)),
      writtenBytes: Math.max(this.#seen.writtenBytes, sum((one) => one.writtenBytes))
    }
    return { residentBytes }
  }
}

/** Follows a program that has begun, until its end; with the scope it ends. */
export const follow = (
  spawned: Spawned,
  group: RunningGroup,
  held: ControlGroup,
  { limits }: Pick<Launch, "limits">,
  watcher: Watcher
): Effect.Effect<Launched, never, Scope.Scope> =>
  Effect.gen(function*() {
    const figures = new Figures()
    const stop = (exceeded: Exit["exceeded"]) => {
      figures.exceeded ??= exceeded
      group.kill()
    }
    // What is being killed meets limits that it was not to have.
    const exceededByKernel = () => group.isKilled() ? undefined : held.exceeded()
    const look = (all: ReadonlyArray<HostProcess>) => {
      const met = exceededByKernel()
      if (met !== undefined) return stop(met)
      const members = group.membersAmong(all)
      // What looks at thousands of processes is too slow to stop them.
      if (members.length > limits.processes + ownProcesses) return stop("processes")
      const { residentBytes } = figures.look(members)
      if (residentBytes > limits.memoryBytes) stop("memory")
    }
    const end = Effect.gen(function*() {
      const ended = yield* spawned.ended
      figures.exceeded ??= exceededByKernel()
      // Whatever the program has left behind ends with it.
      group.end()
      yield* atMost(spawned.closed, "1 second")
      spawned.abandon()
      const code = spawned.report().code ?? ended
      const allowed = limits.seconds === undefined ? undefined : limits.seconds * limits.cpu * 1000
      const byTime = code === codeOfSignal("SIGXCPU")
        || (code === codeOfSignal("SIGKILL") && allowed !== undefined && figures.now(spawned).cpuMillis >= allowed)
      if (byTime) figures.exceeded ??= "cpu"
      const exit: Exit = { code, exceeded: figures.exceeded, isKilled: group.isKilled() }
      return exit
    })
    const exit = yield* Deferred.make<Exit>()
    // What waits for the end may be given up; what sees to it may not.
    yield* Effect.acquireRelease(
      Effect.forkDaemon(Effect.intoDeferred(end, exit)),
      (fiber) =>
        Effect.sync(group.kill).pipe(
          Effect.zipRight(atMost(Deferred.await(exit), "5 seconds")),
          Effect.zipRight(Fiber.interrupt(fiber))
        )
    )
    yield* watcher.watch(look)
    return {
      exited: Deferred.await(exit),
      signal: (signal) => Effect.sync(() => group.signal(signal)),
      usage: () => figures.now(spawned)
    }
  })
