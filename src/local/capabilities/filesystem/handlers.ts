import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import type { HandlersOf } from "../Handler.js"
import * as directories from "./directories.js"
import { edit } from "./edit.js"
import * as files from "./files.js"
import { search } from "./search.js"
import { searchContent } from "./searchContent.js"
import * as trash from "./trash.js"
import { makeWatch } from "./watch.js"

/** The handlers of `filesystem.*`. */
export const makeFilesystemHandlers = Effect.gen(function*() {
  const { remove, restore } = yield* trash.make
  const handlers: HandlersOf<BuiltIn, "filesystem"> = {
    "filesystem.read": files.read,
    "filesystem.write": files.write,
    "filesystem.append": files.append,
    "filesystem.copy": files.copy,
    "filesystem.move": files.move,
    "filesystem.edit": edit,
    "filesystem.list": directories.list,
    "filesystem.stat": directories.stat,
    "filesystem.search": search,
    "filesystem.search_content": searchContent,
    "filesystem.delete": remove,
    "filesystem.restore": restore,
    "filesystem.watch": yield* makeWatch
  }
  return handlers
})
