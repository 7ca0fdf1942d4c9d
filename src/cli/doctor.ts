import * as Command from "@effect/cli/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type { SandboxFacts } from "../local/sandbox/Sandbox.js"
import { failed } from "./exit.js"
import { loadLocal } from "./loadLocal.js"
import { dataDirectory, json } from "./options.js"
import { print, printTable } from "./print.js"
import { sandboxOf, sandboxOption } from "./sandboxOption.js"
import { oneLine, prettyJson } from "./text.js"

/** `ok`: it holds; `no`: it does not, and a gateway works without; `broken`: a gateway does not work, or is not safe. */
type Verdict = "ok" | "no" | "broken"

interface Finding {
  readonly name: string
  readonly verdict: Verdict
  readonly how: string
}

const finding = (name: string, verdict: Verdict, how: string): Finding => ({ name, verdict, how: oneLine(how) })

const sandboxFindings = ({ kind, problem, ...facts }: SandboxFacts): ReadonlyArray<Finding> => [
  finding(
    "sandbox",
    kind === "bubblewrap" ? "ok" : "no",
    problem ?? (kind === "bubblewrap" ? "bubblewrap" : "none: programs that agents run can do all that you can")
  ),
  ...(["files", "network", "cpu", "memory", "processes", "ending"] as const).map((name) =>
    finding(`  ${name}`, facts[name].enforced ? "ok" : "no", facts[name].how)
  )
]

const leastNode = [20, 19] as const

const nodeFinding = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const isEnough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
  return finding(
    "node",
    isEnough ? "ok" : "broken",
    isEnough ? version : `${version}: install ${leastNode.join(".")} or later`
  )
}

const dataFinding = (directory: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const path = paths.resolve(directory)
    const { mode } = yield* files.stat(path)
    return (mode & 0o077) === 0
      ? finding("data", "ok", `${path} is yours alone`)
      : finding("data", "broken", `Others than you have a right to ${path}, where keys are: chmod 700 it`)
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(finding("data", "ok", `${directory} is not there yet, and will be yours alone`))
    ),
    Effect.catchAll((error) =>
      Effect.succeed(finding("data", "broken", `${directory} cannot be looked at: ${error.message}`))
    )
  )

const gitFinding = (version: string | undefined): Finding =>
  version === undefined
    ? finding("git", "no", "git.* needs git, which is not installed")
    : finding("git", "ok", version)

/** `kruxos doctor` */
export const doctor = Command.make(
  "doctor",
  { data: dataDirectory, sandbox: sandboxOption, json: json("Print the findings as JSON.") },
  ({ data, json, sandbox }) =>
    Effect.gen(function*() {
      const { gitVersion, sandboxFacts } = yield* loadLocal(() => import("../local/sandbox/examine.js"))
      const findings = [
        nodeFinding(process.versions.node),
        yield* dataFinding(data),
        gitFinding(yield* gitVersion),
        ...sandboxFindings(yield* sandboxFacts(sandboxOf(sandbox)))
      ]
      if (json) yield* print(prettyJson({ findings: findings.map((one) => ({ ...one, name: one.name.trim() })) }))
      else yield* printTable(findings.map(({ how, name, verdict }) => [name, verdict, how]))
      const broken = findings.filter(({ verdict }) => verdict === "broken").map(({ name }) => name)
      if (broken.length > 0) return yield* failed(`To be put right first: ${broken.join(", ")}`)
    })
).pipe(
  Command.withDescription(
    "Say what of this machine a gateway can use, and what holds the programs that agents run. Exit code 1 if a gateway would not work or "
      + "not be safe."
  )
)
