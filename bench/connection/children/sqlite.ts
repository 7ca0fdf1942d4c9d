import Database from "libsql"
import { quantile } from "../../measurement.js"
import { keyCount, keys, value } from "../stateOperations.js"
import { obey } from "./obey.js"

const versionsKept = 100

const open = () => {
  const database = new Database(process.argv[2] ?? "")
  database.exec("PRAGMA busy_timeout = 5000")
  database.exec("PRAGMA journal_mode = WAL")
  database.exec("PRAGMA synchronous = NORMAL")
  database.exec("PRAGMA foreign_keys = ON")
  database.exec("CREATE TABLE entries (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL)")
  database.exec("CREATE TABLE versions (key TEXT, version INTEGER, value TEXT NOT NULL, PRIMARY KEY (key, version))")
  const begin = database.prepare("BEGIN IMMEDIATE")
  const commit = database.prepare("COMMIT")
  const read = database.prepare("SELECT value, version FROM entries WHERE key = ?")
  const write = database.prepare(
    "INSERT INTO entries VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET version = version + 1, value = excluded.value " +
      "RETURNING version"
  )
  const addVersion = database.prepare("INSERT INTO versions VALUES (?, ?, ?)")
  const dropVersion = database.prepare("DELETE FROM versions WHERE key = ? AND version = ?")
  const text = JSON.stringify(value)
  const set = (key: string) => {
    begin.run()
    const row: unknown = write.get(key, text)
    const version = typeof row === "object" && row !== null && "version" in row ? Number(row.version) : 1
    addVersion.run(key, version, text)
    if (version > versionsKept) dropVersion.run(key, version - versionsKept)
    commit.run()
  }
  for (const key of keys) set(key)
  return { get: (key: string) => void read.get(key), set }
}

let database: ReturnType<typeof open> | undefined

// Operations a second, and how long all but a hundredth of them take at most, in microseconds.
const loop = (operation: "get" | "set") => (milliseconds = 0): Promise<ReadonlyArray<number>> => {
  const run = (database ??= open())[operation]
  const latencies: Array<number> = []
  const begun = performance.now()
  const end = begun + milliseconds
  let start = begun
  while (start < end) {
    run(keys[latencies.length % keyCount] ?? "")
    const now = performance.now()
    latencies.push(now - start)
    start = now
  }
  const sorted = latencies.toSorted((one, other) => one - other)
  return Promise.resolve([latencies.length * 1000 / (start - begun), quantile(sorted, 0.99) * 1000])
}

/** A bare loop over SQLite: the least that stores values in versions. */
obey({
  open: async () => {
    database ??= open()
    return []
  },
  get: loop("get"),
  set: loop("set")
})
