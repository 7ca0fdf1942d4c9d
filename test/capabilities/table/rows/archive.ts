import { assert, expect } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { failing, type Table } from "../Row.js"
import type { World } from "../World.js"

const unavailable = { _tag: "CapabilityUnavailable" }

// A gateway whose backups have no directory to lie in.
const withoutPlace = ({ elsewhere }: World) =>
  Effect.map(elsewhere(), (world) => {
    fs.writeFileSync(join(world.gateway.dataDirectory, "backups"), "in the way")
    return world
  })

// A gateway whose key for backups is a file that is missing.
const withoutKey = ({ elsewhere }: World) => elsewhere({ backupKey: { keyFile: "/nonexistent/backup.key" } })

const absent = "bkp-20200101T000000"

export const archive: Table<"state.snapshot" | "state.backup" | "state.briefing"> = {
  "state.snapshot.create": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const created = yield* invoke("state.snapshot.create")
        assert.match(created.snapshot_id, /^snap-\d{8}T\d{6}/)
        assert.isAbove(created.size_bytes, 0)
      }),
    errors: {
      IoError: ({ without }) =>
        Effect.flatMap(without("snapshots"), ({ invoke }) => failing(invoke("state.snapshot.create"), unavailable))
    }
  },
  "state.snapshot.list": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const first = yield* invoke("state.snapshot.create")
        const second = yield* invoke("state.snapshot.create")
        const { snapshots } = yield* invoke("state.snapshot.list")
        assert.deepStrictEqual(snapshots.slice(0, 2).map(({ snapshot_id }) => snapshot_id), [
          second.snapshot_id,
          first.snapshot_id
        ])
      }),
    errors: {
      IoError: ({ without }) =>
        Effect.flatMap(without("snapshots"), ({ invoke }) => failing(invoke("state.snapshot.list"), unavailable))
    }
  },
  "state.snapshot.load": {
    success: ({ directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.persistent.set", { key, value: "as it was" })
        const { snapshot_id } = yield* invoke("state.snapshot.create")
        const { snapshot } = yield* invoke("state.snapshot.load", { snapshot_id })
        assert.include(JSON.stringify(snapshot.state), key)
      }),
    errors: {
      SnapshotNotFound: ({ invoke }) =>
        failing(invoke("state.snapshot.load", { snapshot_id: "snap-none" }), { snapshotId: "snap-none" })
    }
  },
  "state.briefing.generate": {
    success: ({ directory, invoke }) =>
      Effect.gen(function*() {
        const since = yield* DateTime.now
        yield* invoke("filesystem.write", { path: `${directory}/told.txt`, content: "" })
        const { briefing } = yield* invoke("state.briefing.generate", { since, detail_level: "detailed" })
        assert.include(JSON.stringify(briefing.filesystem_changes), `${directory}/told.txt`)
        assert.deepStrictEqual(briefing.since, since)
      }),
    errors: {
      InvalidTimestamp: ({ invokeDynamic }) =>
        failing(invokeDynamic("state.briefing.generate", { since: "yesterday" }), { field: "since" })
    }
  },
  "state.backup.create": {
    success: ({ agent, gateway, invoke }) =>
      Effect.gen(function*() {
        const created = yield* invoke("state.backup.create", { agent })
        assert.match(created.backup_id, /^bkp-\d{8}T\d{6}/)
        assert.strictEqual(created.scope, `agent:${agent}`)
        const names = fs.readdirSync(join(gateway.dataDirectory, "backups"))
        const file = names.find((name) => name.startsWith(created.backup_id)) ?? ""
        const { size } = fs.statSync(join(gateway.dataDirectory, "backups", file))
        assert.strictEqual(created.file_size_bytes, size)
      }),
    errors: {
      IoError: (world) =>
        Effect.flatMap(withoutPlace(world), ({ invoke }) => failing(invoke("state.backup.create"), unavailable)),
      VaultLocked: (world) => Effect.flatMap(withoutKey(world), ({ invoke }) => failing(invoke("state.backup.create")))
    }
  },
  "state.backup.list": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const { backup_id } = yield* invoke("state.backup.create")
        const { backups, count } = yield* invoke("state.backup.list")
        assert.strictEqual(backups[0]?.backup_id, backup_id)
        assert.strictEqual(count, backups.length)
      }),
    errors: {
      IoError: (world) =>
        Effect.flatMap(withoutPlace(world), ({ invoke }) => failing(invoke("state.backup.list"), unavailable))
    }
  },
  "state.backup.restore": {
    success: ({ agent, directory: key, invoke }) =>
      Effect.gen(function*() {
        yield* invoke("state.persistent.set", { key, value: "kept" })
        const { backup_id } = yield* invoke("state.backup.create", { agent })
        yield* invoke("state.persistent.set", { key, value: "changed" })
        const restored = yield* invoke("state.backup.restore", { backup_id })
        assert.deepStrictEqual(restored, {
          restored: true,
          agents_restored: [agent],
          shared_state_restored: false
        })
        expect(yield* invoke("state.persistent.get", { key })).toMatchObject({ value: "kept" })
      }),
    errors: {
      BackupNotFound: ({ invoke }) =>
        failing(invoke("state.backup.restore", { backup_id: absent }), { backupId: absent }),
      DecryptionFailed: ({ elsewhere }) =>
        Effect.gen(function*() {
          const { gateway, invoke } = yield* elsewhere()
          const { backup_id } = yield* invoke("state.backup.create")
          fs.writeFileSync(join(gateway.dataDirectory, "backup.key"), "ab".repeat(32))
          return yield* failing(invoke("state.backup.restore", { backup_id }), { backupId: backup_id })
        }),
      VaultLocked: ({ elsewhere }) =>
        Effect.gen(function*() {
          const { gateway, invoke } = yield* elsewhere()
          const { backup_id } = yield* invoke("state.backup.create")
          fs.rmSync(join(gateway.dataDirectory, "backup.key"))
          return yield* failing(invoke("state.backup.restore", { backup_id }))
        })
    }
  },
  "state.backup.export": {
    success: ({ directory, host, invoke }) =>
      Effect.gen(function*() {
        const { backup_id, file_size_bytes } = yield* invoke("state.backup.create")
        const path = `${directory}/state.backup`
        const exported = yield* invoke("state.backup.export", { backup_id, path })
        assert.deepStrictEqual(exported, { exported_path: `/workspace/${path}`, size_bytes: file_size_bytes })
        assert.strictEqual(fs.statSync(host(path)).size, file_size_bytes)
      }),
    errors: {
      BackupNotFound: ({ directory, invoke }) =>
        failing(invoke("state.backup.export", { backup_id: absent, path: `${directory}/a` }), { backupId: absent }),
      IoError: ({ invoke }) =>
        Effect.gen(function*() {
          const { backup_id } = yield* invoke("state.backup.create")
          return yield* failing(invoke("state.backup.export", { backup_id, path: "/tmp/out.backup" }), unavailable)
        })
    }
  }
}
