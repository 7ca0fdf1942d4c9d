import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { edit } from "../../../../src/local/capabilities/filesystem/edit.js"
import type { Workspace } from "../../../../src/local/workspace/Workspace.js"
import { writeTree } from "./tree.js"
import { invocationFixture } from "./workspaceSupport.js"

const inputOf = Schema.decodeUnknownSync(filesystem.edit.handlerInputSchema)
const encode = Schema.encodeSync(filesystem.edit.outputSchema)

/** A workspace with files, and `filesystem.edit` in it; `runWith` replaces parts of the workspace. */
export const prepared = (files: { readonly [path: string]: string | Uint8Array }) =>
  Effect.map(invocationFixture, (made) => {
    writeTree(made.root, files)
    const runWith = (workspace: Partial<Workspace>) => (input: object) =>
      Effect.tap(
        edit(inputOf(input), { ...made.invocation, workspace: { ...made.invocation.workspace, ...workspace } }),
        (output) => {
          encode(output)
        }
      )
    return { ...made, run: runWith({}), runWith }
  })
