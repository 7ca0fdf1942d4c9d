import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { until } from "../../../support/deadline.js"
import { failing, type Table } from "../Row.js"

const outside = "/etc/passwd"

const digest = (content: string) => createHash("sha256").update(content).digest("hex")

export const filesReading: Table<"filesystem"> = {
  "filesystem.read": {
    success: ({ directory, invoke, put }) =>
      Effect.gen(function*() {
        put(`${directory}/a.txt`, "bücher\n")
        expect(yield* invoke("filesystem.read", { path: `${directory}/a.txt` })).toMatchObject({
          content: "bücher\n",
          size: 8,
          size_bytes: 8,
          checksum: digest("bücher\n"),
          truncated: false
        })
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("filesystem.read", { path: outside }), { path: outside }),
      FileNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.read", { path: `${directory}/no` }), { path: `/workspace/${directory}/no` }),
      EncodingError: ({ directory, invoke, put }) => {
        put(`${directory}/a.bin`, new Uint8Array([0xff, 0xfe, 0x80]))
        const path = `${directory}/a.bin`
        return failing(invoke("filesystem.read", { path }), { path: `/workspace/${path}`, encoding: "utf-8" })
      }
    },
    limits: {
      "counts offset and limit in bytes, and size over the whole file": ({ directory, invoke, put }) =>
        Effect.gen(function*() {
          put(`${directory}/a.txt`, "0123456789")
          const part = yield* invoke("filesystem.read", { path: `${directory}/a.txt`, offset: 2, limit: 3 })
          expect(part).toMatchObject({ content: "234", size: 10, checksum: digest("0123456789"), truncated: true })
        })
    }
  },
  "filesystem.list": {
    success: ({ directory, invoke, put }) =>
      Effect.gen(function*() {
        put(`${directory}/b.txt`, "bb")
        put(`${directory}/sub/c.txt`, "c")
        put(`${directory}/.hidden`, "")
        const listed = yield* invoke("filesystem.list", { path: directory })
        expect(listed).toMatchObject({
          entries: [{ name: "b.txt", type: "file", size: 2 }, { name: "sub", type: "directory" }],
          total: 2,
          path: `/workspace/${directory}`
        })
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("filesystem.list", { path: "/etc" }), { path: "/etc" }),
      DirectoryNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.list", { path: `${directory}/no` }), { path: `/workspace/${directory}/no` }),
      NotADirectory: ({ directory, invoke, put }) => {
        put(`${directory}/a.txt`, "a")
        return failing(invoke("filesystem.list", { path: `${directory}/a.txt` }), {
          path: `/workspace/${directory}/a.txt`
        })
      }
    }
  },
  "filesystem.stat": {
    success: ({ directory, invoke, put }) =>
      Effect.gen(function*() {
        put(`${directory}/a.txt`, "abc")
        const seen = yield* invoke("filesystem.stat", { path: `${directory}/a.txt` })
        expect(seen).toMatchObject({ exists: true, type: "file", size: 3 })
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("filesystem.stat", { path: outside }), { path: outside })
    },
    limits: {
      "says of a missing path that it is not there": ({ directory, invoke }) =>
        Effect.gen(function*() {
          assert.isFalse((yield* invoke("filesystem.stat", { path: `${directory}/no` })).exists)
        })
    }
  },
  "filesystem.search": {
    success: ({ directory, invoke, put }) =>
      Effect.gen(function*() {
        put(`${directory}/a.md`, "a")
        put(`${directory}/deep/b.md`, "bb")
        put(`${directory}/c.txt`, "c")
        const found = yield* invoke("filesystem.search", { path: directory, pattern: "**/*.md" })
        assert.deepStrictEqual(found.matches?.map(({ path }) => path).sort(), [
          `/workspace/${directory}/a.md`,
          `/workspace/${directory}/deep/b.md`
        ])
        assert.strictEqual(found.total_matches, 2)
      }),
    errors: {
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("filesystem.search", { path: "/etc", pattern: "*" }), { path: "/etc" }),
      DirectoryNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.search", { path: `${directory}/no`, pattern: "*" }), {
          path: `/workspace/${directory}/no`
        }),
      InvalidPattern: ({ directory, invoke }) =>
        failing(invoke("filesystem.search", { path: directory, pattern: "[a" }), { pattern: "[a" })
    },
    limits: {
      "gives no more than max_results, and counts all": ({ directory, invoke, put }) =>
        Effect.gen(function*() {
          for (const name of ["a", "b", "c"]) put(`${directory}/${name}`, name)
          const found = yield* invoke("filesystem.search", { path: directory, pattern: "*", max_results: 2 })
          expect(found).toMatchObject({ total_matches: 3, truncated: true })
          assert.lengthOf(found.matches ?? [], 2)
        }),
      "hashes files of at most 268435456 bytes": ({ directory, invokeDynamic }) =>
        Effect.gen(function*() {
          const input = { path: directory, pattern: "*", include_hash: true }
          yield* invokeDynamic("filesystem.search", { ...input, max_hash_bytes: 268_435_456 })
          const error = yield* Effect.flip(
            invokeDynamic("filesystem.search", { ...input, max_hash_bytes: 268_435_457 })
          )
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "max_hash_bytes" })
        })
    }
  },
  "filesystem.search_content": {
    success: ({ directory, invoke, put }) =>
      Effect.gen(function*() {
        put(`${directory}/a.txt`, "first\nthe needle here\n")
        const found = yield* invoke("filesystem.search_content", { path: directory, pattern: "needle" })
        expect(found).toMatchObject({
          matches: [{ path: `/workspace/${directory}/a.txt`, line: 2, column: 5, text: "the needle here" }],
          total: 1,
          truncated: false
        })
      }),
    errors: {
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("filesystem.search_content", { path: "/etc", pattern: "a" }), { path: "/etc" }),
      DirectoryNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.search_content", { path: `${directory}/no`, pattern: "a" }), {
          path: `/workspace/${directory}/no`
        }),
      InvalidPattern: ({ directory, invoke }) =>
        failing(invoke("filesystem.search_content", { path: directory, pattern: "(", regex: true }), { pattern: "(" })
    }
  },
  "filesystem.watch": {
    success: ({ directory, invoke, put }) =>
      Effect.gen(function*() {
        const { watch_id } = yield* invoke("filesystem.watch", { path: directory, event_types: ["create"] })
        put(`${directory}/new.txt`, "new")
        yield* until(
          "the message of the watch",
          Effect.map(
            invoke("comms.receive", { channel: `watch:${watch_id}` }),
            ({ messages }) => messages.some(({ message }) => message.includes(`${directory}/new.txt`))
          )
        )
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("filesystem.watch", { path: "/etc" }), { path: "/etc" }),
      DirectoryNotFound: ({ directory, invoke }) =>
        failing(invoke("filesystem.watch", { path: `${directory}/no` }), { path: `/workspace/${directory}/no` }),
      TooManyWatches: ({ another }) =>
        Effect.gen(function*() {
          const { directory, invoke } = yield* another({ name: "watcher" })
          yield* Effect.forEach(Array.from({ length: 32 }), () => invoke("filesystem.watch", { path: directory }))
          return yield* failing(invoke("filesystem.watch", { path: directory }), { limit: 32 })
        })
    }
  }
}
