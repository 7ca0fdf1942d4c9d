import type { Walls } from "./bubblewrap.js"
import type { ControlGroups } from "./cgroups/ControlGroups.js"
import type { Controller } from "./cgroups/places.js"
import { kernelCounts } from "./processLimit.js"
import { defaultLimits, type Enforcement, type SandboxFacts } from "./Sandbox.js"

/** What was found on this machine. */
export type Found =
  | { readonly kind: "bubblewrap"; readonly walls: Walls; readonly controlGroups: ControlGroups }
  | { readonly kind: "none"; readonly controlGroups: ControlGroups }
  | { readonly kind: "missing"; readonly problem: string }

const orWithout = "or start the gateway with --sandbox none, without any protection of this machine from them"

/** Why there is no sandbox, and what to do about it. */
export const problemOf = (why: "not-linux" | "not-installed" | "does-not-work", complaint = ""): string => {
  switch (why) {
    case "not-linux":
      return `Programs are run in a sandbox by bubblewrap, which only Linux has: use a Linux machine or container, ${orWithout}`
    case "not-installed":
      return "Programs are run in a sandbox by bubblewrap, which is not installed: install it (apt-get install bubblewrap, "
        + `dnf install bubblewrap), ${orWithout}`
    case "does-not-work": {
      const said = complaint.trim().split("\n", 1)[0]?.slice(0, 200) ?? ""
      return `The sandbox does not work on this machine${said === "" ? "" : ` (${said})`}: let users make namespaces `
        + "(kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, a container that may), "
        + orWithout
    }
  }
}

const yes = (how: string): Enforcement => ({ enforced: true, how })

const no = (how: string): Enforcement => ({ enforced: false, how })

const cpuTime = "as processor time: timeout × cpu_limit for each process (RLIMIT_CPU)"

const cpu = (has: Has): Enforcement =>
  yes(
    has("cpu")
      ? `${defaultLimits.cpu} of a core unless asked otherwise, by a control group; and ${cpuTime}`
      : `${cpuTime}, ${defaultLimits.cpu} of a core unless asked otherwise; not as a rate, and not in the background`
  )

const watched = "looked at ten times a second and stopped, with all of its children"

const memory = (has: Has): Enforcement =>
  yes(
    `${
      defaultLimits.memoryBytes / 1024 / 1024
    } MiB unless asked otherwise: each process (RLIMIT_DATA), and all of a program together, `
      + `${has("memory") ? "by a control group, and " : ""}${watched}`
  )

const processes = (has: Has): Enforcement => {
  if (has("pids")) return yes(`${defaultLimits.processes}, with their threads, by a control group; and ${watched}`)
  return yes(
    kernelCounts()
      ? `${defaultLimits.processes}, ${watched}; twice that by the kernel (RLIMIT_NPROC)`
      : `${defaultLimits.processes}, ${watched}; the kernel does not count root's`
  )
}

const endingWithoutSandbox = (has: Has): Enforcement =>
  no(
    has("cpu") || has("memory") || has("pids")
      ? "with its program, with the session, and with the gateway; where that is killed, only when the next one is started like it"
      : "what hides from its group runs on, and all of it where the gateway is killed"
  )

type Has = (controller: Controller) => boolean

const missing = no("programs are not run")

const has = ({ controlGroups }: { readonly controlGroups: ControlGroups }): Has => (controller) =>
  controlGroups.places.some((place) => place.controllers.includes(controller))

/** What holds for the programs that agents run. */
export const factsOf = (found: Found): SandboxFacts => {
  switch (found.kind) {
    case "missing":
      return {
        kind: "missing",
        problem: found.problem,
        files: missing,
        network: missing,
        cpu: missing,
        memory: missing,
        processes: missing,
        ending: missing
      }
    case "none":
      return {
        kind: "none",
        problem: undefined,
        files: no("programs can do all that the gateway's user can, with every file"),
        network: no("programs reach whatever this machine reaches"),
        cpu: cpu(has(found)),
        memory: process.platform === "linux" ? memory(has(found)) : no("only on Linux"),
        processes: process.platform === "linux" ? processes(has(found)) : no("only on Linux"),
        ending: endingWithoutSandbox(has(found))
      }
    case "bubblewrap":
      return {
        kind: "bubblewrap",
        problem: undefined,
        files: yes("the workspace, and the system's programs to read; not the gateway's data"),
        network: yes(
          "none; all of it, this machine's own included, for agents whose policy allows every host (`*`): single hosts are not filtered"
        ),
        cpu: cpu(has(found)),
        memory: memory(has(found)),
        processes: processes(has(found)),
        ending: yes("with its program, with the session, and with the gateway, also where that is killed")
      }
  }
}
