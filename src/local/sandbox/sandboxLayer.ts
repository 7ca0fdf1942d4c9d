import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { scopedService } from "../inOrder.js"
import { atMost } from "./atMost.js"
import { accounts, descriptors, groups, optionsOf, type Walls } from "./bubblewrap.js"
import { type ControlGroup, joining } from "./cgroups/ControlGroup.js"
import * as ControlGroups from "./cgroups/ControlGroups.js"
import { cleanEnvironment, systemPath } from "./environment.js"
import { factsOf, type Found, problemOf } from "./facts.js"
import { type Group, inNamespace, markVariable, ofSession, whileItRuns, withControlGroup } from "./Group.js"
import { launcherArguments, ownProcesses } from "./launcher.js"
import { kernelCounts, processLimit } from "./processLimit.js"
import { follow } from "./running.js"
import { defaultLimits, type Launch, LaunchFailed, Sandbox, type SandboxChoice } from "./Sandbox.js"
import { type Command, spawnChild, type Spawned } from "./spawnChild.js"
import { isWithin, ownNode, systemMounts } from "./systemMounts.js"
import * as Watcher from "./Watcher.js"

/** How a gateway runs programs. */
export interface SandboxOptions {
  /** Default: bubblewrap where it is there and works, else programs are not run. */
  readonly choice?: SandboxChoice | undefined
  /** The directory of the gateway's data, links resolved: programs never see it. */
  readonly dataDirectory?: string | undefined
  /** Whether the kernel's control groups hold programs, too, where the gateway may make some; default: true. */
  readonly controlGroups?: boolean | undefined
}

const failed = (message: string, cause: unknown) => new LaunchFailed({ reason: "failed", message, cause })

const pathInside = [...ownNode() === undefined ? [] : [ownNode()?.programs], systemPath].join(":")

// More would leave too little for the machine itself.
const largestFileSystem = 256 * 1024 * 1024

const walled = (launch: Launch, walls: Walls, hidden: ReadonlyArray<string>): Command => {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  const options = optionsOf({
    workspace: launch.workspace,
    workingDirectory: launch.workingDirectory,
    environment: { ...cleanEnvironment({ home: "/tmp", path: pathInside }), ...launch.environment },
    network: launch.network,
    mounts: systemMounts(launch),
    shared: launch.shared ?? [],
    hidden,
    memoryBytes: Math.min(launch.limits.memoryBytes, largestFileSystem)
  }, walls)
  return {
    file: "bwrap",
    args: [
      "--args",
      String(descriptors.args),
      "--",
      "/bin/sh",
      ...launcherArguments(launch.program, launch.limits, processLimit(launch.limits.processes, "namespace"))
    ],
    cwd: "/",
    environment: { PATH: process.env["PATH"] ?? systemPath },
    isCounted: kernelCounts(),
    inputs: new Map([
      [descriptors.args, options.map((option) => `${option}\0`).join("")],
      [descriptors.accounts, accounts(uid, gid)],
      [descriptors.groups, groups(gid)]
    ])
  }
}

const open = (launch: Launch, mark: string): Command => ({
  file: "/bin/sh",
  args: launcherArguments(launch.program, launch.limits, processLimit(launch.limits.processes, "user")),
  cwd: join(launch.workspace, ...launch.workingDirectory),
  environment: {
    ...cleanEnvironment({ home: tmpdir(), path: process.env["PATH"] ?? systemPath }),
    ...launch.environment,
    [markVariable]: mark
  },
  isCounted: kernelCounts(),
  inputs: new Map()
})

// The directory may have been renamed, and a link put in its place.
const checkWorkspace = ({ workspace }: Launch) =>
  Effect.try({
    try: () => fs.realpathSync.native(workspace) === workspace,
    catch: (cause) => failed("The workspace is not there any more", cause)
  }).pipe(Effect.filterOrFail(
    (isSame) => isSame,
    () => failed("The workspace has been moved", undefined)
  ))

const complaintOf = ({ complaint, report }: Spawned, launch: Launch) => {
  const { program } = launch
  const name = program._tag === "Line" ? "/bin/sh" : program.file
  const { begun } = report()
  if (begun === "not-found") {
    return Effect.fail(new LaunchFailed({ reason: "not-found", message: `There is no program ${name}` }))
  }
  if (begun === "not-executable") {
    return Effect.fail(new LaunchFailed({ reason: "not-executable", message: `${name} cannot be executed` }))
  }
  // What it says has paths of the host.
  return Effect.zipRight(
    Effect.logWarning("A program could not be started", complaint().trim().slice(0, 1000)),
    Effect.fail(failed("The system does not let a program be started; the gateway's log says why", undefined))
  )
}

const controlGroupFor = (launch: Launch, { controlGroups, kind }: Found & { readonly kind: "bubblewrap" | "none" }) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => controlGroups.create(launch.limits, ownProcesses[kind]),
      catch: (cause) => failed("The system lets no control group be made for the program", cause)
    }),
    ({ remove }) =>
      Effect.flatMap(
        remove,
        (isGone) => isGone ? Effect.void : Effect.logWarning("The control group of a program is still there")
      )
  )

const joined = (command: Command, held: ControlGroup): Command =>
  held.memberships.length === 0
    ? command
    : {
      ...command,
      file: "/bin/sh",
      args: joining(held, command.file, command.args),
      isCounted: command.isCounted || held.holdsCount
    }

const start = (
  launch: Launch,
  found: Found & { readonly kind: "bubblewrap" | "none" },
  command: Command,
  groupOf: (spawned: Spawned, held: ControlGroup) => Group,
  watcher: Watcher.Watcher
) =>
  Effect.gen(function*() {
    const held = yield* controlGroupFor(launch, found)
    const { group, spawned } = yield* Effect.acquireRelease(
      Effect.map(spawnChild(joined(command, held), launch), (spawned) => ({
        spawned,
        group: whileItRuns(withControlGroup(groupOf(spawned, held), held))
      })),
      ({ group, spawned }) =>
        Effect.zipRight(
          Effect.sync(group.kill),
          // What is killed ends; what does not is stuck in the kernel, and nobody's wait would help.
          atMost(spawned.ended, "5 seconds")
        )
    )
    yield* Effect.timeoutFail(spawned.begun, {
      duration: patience,
      onTimeout: () => failed(`The system has not started the program within ${patience}`, undefined)
    })
    if (spawned.report().begun !== "started") return yield* complaintOf(spawned, launch)
    return yield* follow(spawned, group, held, launch, watcher)
  })

/** How long the system may take to start a program. */
const patience = "30 seconds"

const explain = (cause: unknown) =>
  cause instanceof LaunchFailed ? cause : failed("The system does not let a program be started", cause)

const trial = (): Launch => ({
  program: { _tag: "File", file: "true", args: [] },
  workspace: fs.realpathSync.native(tmpdir()),
  workingDirectory: [],
  environment: {},
  limits: defaultLimits,
  network: false,
  onOutput: () => undefined
})

/** Finds out what works on this machine by trying it. */
const find = (choice: SandboxChoice | undefined, useControlGroups: boolean): Effect.Effect<Found> => {
  const controlGroups = useControlGroups ? ControlGroups.find : Effect.succeed(ControlGroups.none)
  if (choice === "none") return Effect.map(controlGroups, (controlGroups) => ({ kind: "none", controlGroups }))
  if (process.platform !== "linux") return Effect.succeed({ kind: "missing", problem: problemOf("not-linux") })
  const works = (walls: Walls) =>
    Effect.gen(function*() {
      const launch = trial()
      const spawned = yield* Effect.acquireRelease(
        spawnChild(walled(launch, walls, []), launch),
        (spawned) => Effect.sync(() => spawned.abandon())
      )
      const code = yield* spawned.ended
      yield* spawned.closed
      const result: Either.Either<Walls, string> = spawned.report().begun === "started" && code === 0
        ? Either.right(walls)
        : Either.left(spawned.complaint())
      return result
    }).pipe(Effect.scoped, Effect.timeout("10 seconds"))
  return works({ disablesUserNamespaces: true }).pipe(
    Effect.flatMap((first) => Either.isRight(first) ? Effect.succeed(first) : works({ disablesUserNamespaces: false })),
    Effect.flatMap(Either.match({
      onRight: (walls) =>
        Effect.map(controlGroups, (controlGroups): Found => ({ kind: "bubblewrap", walls, controlGroups })),
      onLeft: (complaint) => Effect.succeed<Found>({ kind: "missing", problem: problemOf("does-not-work", complaint) })
    })),
    Effect.catchAll((): Effect.Effect<Found> =>
      Effect.succeed({ kind: "missing", problem: problemOf("not-installed") })
    )
  )
}

const dataExposed =
  "The gateway's data lies in the workspace, where programs without a sandbox would see it: keep it elsewhere with --data"

/** Runs programs. Those that run end with the layer. */
export const layer = (
  { choice, controlGroups = true, dataDirectory }: SandboxOptions
): Layer.Layer<Sandbox> =>
  scopedService(
    Sandbox,
    Effect.gen(function*() {
      const watcher = yield* Watcher.make
      const found = yield* Effect.cached(find(choice, controlGroups))
      const hidden = dataDirectory === undefined ? [] : [dataDirectory]
      const launchWith = (found: Found, launch: Launch) => {
        switch (found.kind) {
          case "missing":
            return Effect.fail(new LaunchFailed({ reason: "no-sandbox", message: found.problem }))
          case "bubblewrap":
            return start(launch, found, walled(launch, found.walls, hidden), inNamespace, watcher)
          case "none": {
            const exposed = hidden.some((directory) => isWithin(launch.workspace, directory))
            if (exposed) return Effect.fail(new LaunchFailed({ reason: "no-sandbox", message: dataExposed }))
            const mark = randomUUID()
            return start(launch, found, open(launch, mark), (spawned, held) => ofSession(spawned, mark, held), watcher)
          }
        }
      }
      return {
        facts: Effect.map(found, factsOf),
        launch: (launch) =>
          checkWorkspace(launch).pipe(
            Effect.zipRight(found),
            Effect.flatMap((what) => launchWith(what, launch)),
            Effect.mapError(explain)
          )
      }
    })
  )
