import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import { join } from "node:path"
import { link } from "../../src/local/running.js"
import { connectionOptions } from "../../src/services/GatewayOptions.js"
import { folders, quietly } from "../support/gateway.js"
import { hide } from "../support/withoutFeatures.js"
import { transactionsOver } from "./compensatingSupport.js"

const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))

/** Everything in a directory, as it is on the disk. */
const onDisk = (directory: string): ReadonlyArray<string> =>
  fs.readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return `${path.slice(directory.length)} ${entry.isFile() ? fs.readFileSync(path).toString("base64") : "/"}`
    })
    .filter((line) => !line.includes("/.kruxos"))
    .toSorted()

/** A gateway without the feature transactions, whose workspace has some files. */
export const gateway = (policy: "allow-all" | "team-moderate" = "allow-all") =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    fs.writeFileSync(join(workspace, "text.txt"), "one\ntwo\none\n")
    fs.writeFileSync(join(workspace, "bytes.bin"), bytes)
    fs.writeFileSync(join(workspace, "empty.txt"), "")
    fs.mkdirSync(join(workspace, "folder"))
    fs.writeFileSync(join(workspace, "folder/inner.txt"), "one inner\n")
    fs.mkdirSync(join(workspace, "hollow"))
    const made = yield* link(
      { workspace, dataDirectory: ":memory:", policy },
      connectionOptions({}, Redacted.make(""), 0)
    )
    const over = transactionsOver(hide(made, "transactions"))
    const { invoke } = over
    const state = (key: string) =>
      Effect.gen(function*() {
        const session = yield* invoke("state.session.get", { key })
        const persistent = yield* invoke("state.persistent.get", { key })
        const shared = yield* invoke("state.shared.get", { key })
        return [session.value ?? null, persistent.value ?? null, shared.value ?? null]
      })
    return {
      ...over,
      workspace,
      path: (name: string) => `/workspace/${name}`,
      onDisk: () => onDisk(workspace),
      read: (name: string) => fs.readFileSync(join(workspace, name), "utf8"),
      write: (name: string, content: string) => fs.writeFileSync(join(workspace, name), content),
      state
    }
  }).pipe(Effect.orDie, quietly)

export type Gateway = Effect.Effect.Success<ReturnType<typeof gateway>>
