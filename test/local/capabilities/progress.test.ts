import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as filesystem from "../../../src/catalogue/filesystem.js"
import * as network from "../../../src/catalogue/network.js"
import { search } from "../../../src/local/capabilities/filesystem/search.js"
import { searchContent } from "../../../src/local/capabilities/filesystem/searchContent.js"
import { makeDownload } from "../../../src/local/capabilities/network/download.js"
import * as Egress from "../../../src/local/egress/Egress.js"
import * as HostPattern from "../../../src/local/egress/HostPattern.js"
import { Resolver } from "../../../src/local/egress/Resolver.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import type { ProgressReport } from "../../../src/local/progress.js"
import { within } from "../../support/deadline.js"
import { put, restorer, withBackups } from "../archive/support.js"
import { serveHttp } from "../egress/servers.js"
import { writeTree } from "./filesystem/tree.js"
import { invocationFixture } from "./filesystem/workspaceSupport.js"

const reports = () => {
  const all: Array<ProgressReport> = []
  return { all, progress: (report: ProgressReport) => void all.push(report) }
}

const counting = (last: number) => Array.from({ length: last }, (_, index) => ({ progress: index + 1 }))

const tree = { "a.txt": "needle", "b/c.txt": "hay", "b/d.md": "needle" }

describe("a handler tells", () => {
  it.scopedLive("at how many files a search has looked", () =>
    Effect.gen(function*() {
      const { invocation, root } = yield* invocationFixture
      writeTree(root, tree)
      const { all, progress } = reports()
      const input = Schema.decodeUnknownSync(filesystem.search.handlerInputSchema)({
        path: "/workspace",
        pattern: "*.md"
      })
      const { total_matches } = yield* search(input, { ...invocation, progress })
      assert.strictEqual(total_matches, 1)
      assert.deepStrictEqual(all, counting(3))
    }))

  it.scopedLive("into how many files a search has looked", () =>
    Effect.gen(function*() {
      const { invocation, root } = yield* invocationFixture
      writeTree(root, tree)
      const { all, progress } = reports()
      const input = Schema.decodeUnknownSync(filesystem.searchContent.handlerInputSchema)({
        path: "/workspace",
        pattern: "needle"
      })
      const { total } = yield* searchContent(input, { ...invocation, progress })
      assert.strictEqual(total, 2)
      assert.deepStrictEqual(all, counting(3))
    }))

  it.scopedLive("how many bytes a download has, of how many where the host says it", () =>
    Effect.gen(function*() {
      const { invocation } = yield* invocationFixture
      const content = Buffer.alloc(3_000_000, "x")
      const server = yield* serveHttp((incoming, outgoing) => {
        if (incoming.url === "/known") outgoing.setHeader("content-length", content.length)
        outgoing.write(content.subarray(0, 10))
        outgoing.end(content.subarray(10))
      })
      const egress = Egress.make([{ rule: "test", patterns: [yield* HostPattern.parse("127.0.0.1")] }])
      const download = makeDownload({ ...Policy.allowAll, egress: () => egress }, yield* Resolver)
      for (const name of ["known", "unknown"]) {
        const { all, progress } = reports()
        const input = Schema.decodeUnknownSync(network.download.handlerInputSchema)({
          url: `http://127.0.0.1:${server.port}/${name}`,
          path: name
        })
        yield* within("the download")(download(input, { ...invocation, progress }))
        const total = name === "known" ? content.length : undefined
        assert.isAbove(all.length, 1)
        assert.deepStrictEqual(all.at(-1), { progress: content.length, total })
        assert.isTrue(
          all.every((report, index) => report.total === total && report.progress > (all[index - 1]?.progress ?? 0))
        )
      }
    }), 20_000)

  it.effect("how many records a backup has taken, or given back", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        for (let version = 1; version <= 3; version++) yield* put("one", "a", { version })
        const [taken, given] = [reports(), reports()]
        const { id } = yield* backups.create("one", taken.progress)
        // What it holds, a key, and its three versions.
        assert.strictEqual(taken.all.at(-1)?.progress, 5)
        yield* backups.restore(id, undefined, restorer, given.progress)
        assert.strictEqual(given.all.at(-1)?.progress, 5)
      })
    ))
})
