import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fromSegments } from "../../../src/local/workspace/pathForm.js"
import { storageFailure, type Subject, systemFailure } from "../../../src/local/workspace/systemFailure.js"

const subject: Subject = { path: fromSegments(["a", "b"]), operation: "write", field: "destination" }

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: open '/home/somebody/project/a/b'`), { code, path: "/home/somebody/project/a/b" })

describe("the errors of the operating system", () => {
  const cases: ReadonlyArray<readonly [code: string, tag: string]> = [
    ["EACCES", "PermissionDenied"],
    ["EPERM", "PermissionDenied"],
    ["EROFS", "PermissionDenied"],
    ["ENOSPC", "DiskFull"],
    ["EDQUOT", "DiskFull"],
    ["EMFILE", "ResourceExhausted"],
    ["ENFILE", "ResourceExhausted"],
    ["ENAMETOOLONG", "InvalidInput"],
    ["EXDEV", "InvalidInput"],
    ["ELOOP", "InvalidInput"]
  ]

  it.effect.each(cases)("%s is %s, and shows the agent's path alone", ([code, tag]) =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(storageFailure(subject)(systemError(code)))
      assert.strictEqual(failure._tag, tag)
      const shown = `${failure.message} ${JSON.stringify(failure)}`
      assert.notInclude(shown, "/home/somebody")
      if (failure._tag === "PermissionDenied") assert.strictEqual(failure.operation, "write")
      if (failure._tag === "InvalidInput") assert.strictEqual(failure.field, "destination")
      else if (code !== "EMFILE" && code !== "ENFILE") {
        assert.strictEqual(Reflect.get(failure, "path"), "/workspace/a/b")
      }
    }))

  it.effect("a full disk is an exhausted resource where there is no other word for it", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(systemFailure(subject)(systemError("ENOSPC")))
      assert.strictEqual(failure._tag, "ResourceExhausted")
    }))

  it.effect("what nobody expects is a defect with its cause", () =>
    Effect.gen(function*() {
      for (const cause of [systemError("EIO"), new Error("no code"), "no error"]) {
        const exit = yield* Effect.exit(storageFailure(subject)(cause))
        assert.deepStrictEqual(exit, Exit.failCause(Cause.die(cause)))
      }
    }))
})
