import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { resolve, trashNameOf, trashPathOf } from "../../../src/local/workspace/pathForm.js"

const displayOf = (path: string) =>
  Either.match(resolve(path), { onLeft: ({ _tag }) => _tag, onRight: (_) => _.display })

describe("the form of a path", () => {
  it.each([
    ["a.txt", "/workspace/a.txt"],
    ["a/b/c", "/workspace/a/b/c"],
    ["/workspace", "/workspace"],
    ["/workspace/", "/workspace"],
    [".", "/workspace"],
    ["./a", "/workspace/a"],
    ["a//b///", "/workspace/a/b"],
    ["/workspace/a/../b", "/workspace/b"],
    ["a/..", "/workspace"],
    ["workspace/a", "/workspace/workspace/a"],
    ["...", "/workspace/..."],
    ["..a", "/workspace/..a"],
    ["a\\..\\..\\b", "/workspace/a\\..\\..\\b"],
    ["grün/日本.txt", "/workspace/grün/日本.txt"],
    ["a/.kruxos-trash", "/workspace/a/.kruxos-trash"]
  ])("takes %j", (path, display) => {
    assert.strictEqual(displayOf(path), display)
  })

  it.each([
    "..",
    "../x",
    "a/../../x",
    "/workspace/..",
    "/workspace/../workspace/a",
    "/workspacefoo",
    "/workspacefoo/../workspace",
    "/",
    "//workspace/a",
    "/etc/passwd",
    "/proc/self/root/etc/passwd",
    "/Workspace/a",
    ".kruxos-trash",
    "/workspace/.kruxos-trash/x",
    "a/../.kruxos-trash/x",
    ".KruxOS-Trash"
  ])("finds %j out of scope", (path) => {
    const result = resolve(path)
    assert.isTrue(Either.isLeft(result))
    if (Either.isRight(result)) return
    assert.strictEqual(result.left._tag, "PathOutOfScope")
    if (result.left._tag === "PathOutOfScope") assert.strictEqual(result.left.path, path)
  })

  it.each([
    ["", "empty"],
    ["a\0b", "NUL"],
    ["/etc/\0", "NUL"],
    ["a\ud800b", "Unicode"],
    ["\udc00", "Unicode"],
    ["x".repeat(256), "255"],
    ["ü".repeat(128), "255"],
    [`${"x".repeat(256)}/..`, "255"],
    ["a/".repeat(2049), "4096"]
  ])("refuses %j", (path, reason) => {
    const result = resolve(path)
    assert.isTrue(Either.isLeft(result))
    if (Either.isRight(result) || result.left._tag !== "InvalidInput") return assert.fail("expected InvalidInput")
    assert.strictEqual(result.left.field, "path")
    assert.include(result.left.reason, reason)
  })

  it("takes the longest name and the longest path that there can be", () => {
    assert.strictEqual(displayOf("x".repeat(255)), `/workspace/${"x".repeat(255)}`)
    assert.strictEqual(displayOf("a/".repeat(2048)), `/workspace${"/a".repeat(2048)}`)
  })

  it("tells an entry of the trash from every other path", () => {
    assert.deepStrictEqual(trashNameOf(trashPathOf("x")), Either.right(Option.some("x")))
    assert.deepStrictEqual(trashNameOf(".kruxos-trash/x"), Either.right(Option.some("x")))
    for (const path of ["x", ".kruxos-trash", ".kruxos-trash/x/y", "/workspace", ".kruxos-trash/.."]) {
      assert.deepStrictEqual(trashNameOf(path), Either.right(Option.none()))
    }
    const outside = trashNameOf(".kruxos-trash/../../x")
    assert.isTrue(Either.isLeft(outside) && outside.left._tag === "PathOutOfScope")
  })
})
