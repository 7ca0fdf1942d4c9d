import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { fill, smallDisk } from "../../../support/smallDisk.js"
import { failing, mounting, needing, type Table } from "../Row.js"
import type { World } from "../World.js"

const outside = "/etc/passwd"

const digest = (content: string) => createHash("sha256").update(content).digest("hex")

// An agent whose workspace is on a disk without room, which its gateway lets go of before the disk goes.
const onFullDisk = ({ elsewhere }: World) =>
  Effect.gen(function*() {
    const workspace = yield* smallDisk(1024 * 1024)
    const { another } = yield* elsewhere()
    const world = yield* another({ name: "small", workspace })
    world.put("there.txt", "there")
    fill(workspace)
    return world
  })

export const filesWriting: Table<"filesystem"> = {
  "filesystem.write": {
    success: ({ directory, invoke, text }) =>
      Effect.gen(function*() {
        const path = `${directory}/new/a.txt`
        const written = yield* invoke("filesystem.write", { path, content: "hello", create_parents: true })
        assert.deepStrictEqual(written, { path: `/workspace/${path}`, size: 5, checksum: digest("hello") })
        assert.strictEqual(text(path), "hello")
      }),
    errors: {
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("filesystem.write", { path: "../out.txt", content: "" }), { path: "../out.txt" }),
      ParentNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.write", { path: `${directory}/no/a.txt`, content: "" }), {
          path: `/workspace/${directory}/no/a.txt`
        }),
      DiskFull: (world) =>
        Effect.flatMap(
          onFullDisk(world),
          ({ invoke }) =>
            failing(invoke("filesystem.write", { path: "new.txt", content: "x".repeat(100_000) }), {
              path: "/workspace/new.txt"
            })
        )
    },
    limits: {
      "leaves what was there when there is no room": needing(mounting, (world) =>
        Effect.gen(function*() {
          const { invoke, text } = yield* onFullDisk(world)
          yield* Effect.flip(invoke("filesystem.write", { path: "there.txt", content: "x".repeat(100_000) }))
          assert.strictEqual(text("there.txt"), "there")
        }))
    }
  },
  "filesystem.append": {
    success: ({ directory, invoke, text }) =>
      Effect.gen(function*() {
        const path = `${directory}/log.txt`
        expect(yield* invoke("filesystem.append", { path, content: "one\n" })).toMatchObject({ new_size: 4 })
        expect(yield* invoke("filesystem.append", { path, content: "two\n" })).toMatchObject({ new_size: 8 })
        assert.strictEqual(text(path), "one\ntwo\n")
      }),
    errors: {
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("filesystem.append", { path: outside, content: "root" }), { path: outside }),
      DiskFull: (world) =>
        Effect.flatMap(
          onFullDisk(world),
          ({ invoke }) =>
            failing(invoke("filesystem.append", { path: "there.txt", content: "x".repeat(100_000) }), {
              path: "/workspace/there.txt"
            })
        )
    }
  },
  "filesystem.edit": {
    success: ({ directory, invoke, put, text }) =>
      Effect.gen(function*() {
        const path = `${directory}/a.txt`
        put(path, "one two one\n")
        const edited = yield* invoke("filesystem.edit", { path, pattern: "one", replace: "1", replace_all: true })
        expect(edited).toMatchObject({ applied: "full", total_replacements: 2, files_changed: 1 })
        assert.strictEqual(text(path), "1 two 1\n")
      }),
    errors: {
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("filesystem.edit", { path: outside, pattern: "a", replace: "b", replace_all: true }), {
          path: outside
        }),
      FileNotFound: ({ directory, invoke }) =>
        failing(
          invoke("filesystem.edit", { path: `${directory}/no`, pattern: "a", replace: "b", replace_all: true }),
          { path: `/workspace/${directory}/no` }
        ),
      ReplacementCountMismatch: ({ directory, invoke, put }) => {
        put(`${directory}/a.txt`, "a a a")
        const input = { path: `${directory}/a.txt`, pattern: "a", replace: "b", expected_replacements: 2 }
        return failing(invoke("filesystem.edit", input), { expected: 2, actual: 3 })
      },
      InvalidPattern: ({ directory, invoke, put }) => {
        put(`${directory}/a.txt`, "a")
        const input = { path: `${directory}/a.txt`, pattern: "(", replace: "b", regex: true, replace_all: true }
        return failing(invoke("filesystem.edit", input), { pattern: "(" })
      },
      InvalidInput: ({ directory, invoke, put }) => {
        put(`${directory}/a.txt`, "a")
        return failing(invoke("filesystem.edit", { path: `${directory}/a.txt`, pattern: "a", replace: "b" }))
      }
    },
    limits: {
      "writes nothing where the count does not match": ({ directory, invoke, put, text }) =>
        Effect.gen(function*() {
          const path = `${directory}/a.txt`
          put(path, "a a")
          yield* Effect.flip(
            invoke("filesystem.edit", { path, pattern: "a", replace: "b", expected_replacements: 1 })
          )
          assert.strictEqual(text(path), "a a")
        })
    }
  },
  "filesystem.copy": {
    success: ({ directory, invoke, put, text }) =>
      Effect.gen(function*() {
        put(`${directory}/a`, "copy me")
        const paths = { source: `${directory}/a`, destination: `${directory}/b` }
        expect(yield* invoke("filesystem.copy", paths)).toMatchObject({ size: 7, checksum: digest("copy me") })
        assert.deepStrictEqual([text(paths.source), text(paths.destination)], ["copy me", "copy me"])
      }),
    errors: {
      PathOutOfScope: ({ directory, invoke }) =>
        failing(invoke("filesystem.copy", { source: outside, destination: `${directory}/b` }), { path: outside }),
      FileNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.copy", { source: `${directory}/no`, destination: `${directory}/b` }), {
          path: `/workspace/${directory}/no`
        }),
      DestinationExists: ({ directory, invoke, put }) => {
        put(`${directory}/a`, "a")
        put(`${directory}/b`, "b")
        return failing(invoke("filesystem.copy", { source: `${directory}/a`, destination: `${directory}/b` }), {
          path: `/workspace/${directory}/b`
        })
      }
    },
    limits: {
      "takes files only": ({ directory, invoke, put }) =>
        Effect.gen(function*() {
          put(`${directory}/sub/a`, "a")
          const copy = invoke("filesystem.copy", { source: `${directory}/sub`, destination: `${directory}/b` })
          expect(yield* Effect.flip(copy)).toMatchObject({ _tag: "InvalidInput", field: "source" })
        })
    }
  },
  "filesystem.move": {
    success: ({ directory, host, invoke, put, text }) =>
      Effect.gen(function*() {
        put(`${directory}/a`, "move me")
        const paths = { source: `${directory}/a`, destination: `${directory}/b` }
        expect(yield* invoke("filesystem.move", paths)).toMatchObject({ size: 7 })
        assert.isFalse(fs.existsSync(host(paths.source)))
        assert.strictEqual(text(paths.destination), "move me")
      }),
    errors: {
      PathOutOfScope: ({ directory, invoke, put }) => {
        put(`${directory}/a`, "a")
        return failing(invoke("filesystem.move", { source: `${directory}/a`, destination: "/tmp/b" }), {
          path: "/tmp/b"
        })
      },
      FileNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.move", { source: `${directory}/no`, destination: `${directory}/b` }), {
          path: `/workspace/${directory}/no`
        }),
      DestinationExists: ({ directory, invoke, put }) => {
        put(`${directory}/a`, "a")
        put(`${directory}/b`, "b")
        return failing(invoke("filesystem.move", { source: `${directory}/a`, destination: `${directory}/b` }), {
          path: `/workspace/${directory}/b`
        })
      }
    }
  },
  "filesystem.delete": {
    success: ({ directory, host, invoke, put, text }) =>
      Effect.gen(function*() {
        const path = `${directory}/a.txt`
        put(path, "gone")
        const deleted = yield* invoke("filesystem.delete", { path })
        assert.strictEqual(deleted.deleted_path, `/workspace/${path}`)
        assert.isFalse(fs.existsSync(host(path)))
        yield* invoke("filesystem.restore", { trash_path: deleted.trash_path })
        assert.strictEqual(text(path), "gone")
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("filesystem.delete", { path: outside }), { path: outside }),
      FileNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.delete", { path: `${directory}/no` }), { path: `/workspace/${directory}/no` }),
      DirectoryNotEmpty: ({ directory, invoke, put }) => {
        put(`${directory}/full/a.txt`, "a")
        return failing(invoke("filesystem.delete", { path: `${directory}/full` }), {
          path: `/workspace/${directory}/full`
        })
      }
    },
    limits: {
      "takes an empty directory": ({ directory, host, invoke }) =>
        Effect.gen(function*() {
          yield* invoke("filesystem.delete", { path: directory })
          assert.isFalse(fs.existsSync(host(directory)))
        })
    }
  },
  "filesystem.restore": {
    success: ({ directory, invoke, put, text }) =>
      Effect.gen(function*() {
        const path = `${directory}/a.txt`
        put(path, "back")
        const { trash_path } = yield* invoke("filesystem.delete", { path })
        const restored = yield* invoke("filesystem.restore", { trash_path })
        assert.deepStrictEqual(restored, { restored_path: `/workspace/${path}`, trash_path })
        assert.strictEqual(text(path), "back")
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("filesystem.restore", { trash_path: outside }), { path: outside }),
      TrashEntryNotFound: ({ invoke }) =>
        failing(invoke("filesystem.restore", { trash_path: "/workspace/.kruxos-trash/no" }), {
          path: "/workspace/.kruxos-trash/no"
        }),
      DestinationExists: ({ directory, invoke, put }) =>
        Effect.gen(function*() {
          const path = `${directory}/a.txt`
          put(path, "old")
          const { trash_path } = yield* invoke("filesystem.delete", { path })
          put(path, "new")
          return yield* failing(invoke("filesystem.restore", { trash_path }), { path: `/workspace/${path}` })
        })
    }
  }
}
