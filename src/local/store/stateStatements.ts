/*
 * The statements of versioned state, whose texts are prepared once. They are what SQLite and Postgres both take, but for the question
 * marks.
 */

/** A space, and in it a key with the version that one more would push out. */
export const standing = `
  SELECT s.used_bytes AS "used", s.key_count AS "keys", s.removed_count AS "removed", s.version_floor AS "floor",
    s.change_count AS "changes", e.version AS "version", e.is_removed AS "isRemoved", e.owner AS "owner",
    e.created_at AS "createdAt",
    (SELECT v.size FROM state_versions v
      WHERE v.space = e.space AND v.entry_key = e.entry_key AND v.version = e.version - ?) AS "oldestSize"
  FROM state_spaces s LEFT JOIN state_entries e ON e.space = s.space AND e.entry_key = ?
  WHERE s.space = ?`

export const makeSpace = `
  INSERT INTO state_spaces (space, used_bytes, key_count, removed_count, version_floor, change_count)
  VALUES (?, 0, 0, 0, 0, 0)`

export const putEntry = `
  INSERT INTO state_entries
    (space, entry_key, version, is_removed, size, owner, created_at, updated_at, change_number, source)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (space, entry_key) DO UPDATE SET version = excluded.version, is_removed = excluded.is_removed,
    size = excluded.size, owner = excluded.owner, created_at = excluded.created_at, updated_at = excluded.updated_at,
    change_number = excluded.change_number, source = excluded.source`

export const addVersion = `
  INSERT INTO state_versions (space, entry_key, version, previous_version, size, writer, written_at, source, value)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

export const dropVersion = `DELETE FROM state_versions WHERE space = ? AND entry_key = ? AND version = ?`

export const dropVersions = `DELETE FROM state_versions WHERE space = ? AND entry_key = ?`

export const dropEntry = `DELETE FROM state_entries WHERE space = ? AND entry_key = ?`

/** Counts a change: bytes, keys and removed keys more, and a version that no new key may have any more. */
export const count = `
  UPDATE state_spaces SET used_bytes = used_bytes + ?, key_count = key_count + ?, removed_count = removed_count + ?,
    version_floor = CASE WHEN version_floor < ? THEN ? ELSE version_floor END, change_count = change_count + ?
  WHERE space = ?`

export const totalOfVersions = `
  SELECT COUNT(*) AS "count", COALESCE(SUM(size), 0) AS "size" FROM state_versions WHERE space = ? AND entry_key = ?`

export const oldestRemoved = `
  SELECT entry_key AS "key", version FROM state_entries WHERE space = ? AND is_removed = 1
  ORDER BY change_number LIMIT ?`

const version =
  `v.value AS "value", v.version AS "version", v.size AS "size", e.owner AS "owner", e.created_at AS "createdAt",
  v.written_at AS "updatedAt"`

const joined = `state_entries e JOIN state_versions v ON v.space = e.space AND v.entry_key = e.entry_key`

export const newest = `
  SELECT ${version} FROM ${joined} AND v.version = e.version WHERE e.space = ? AND e.entry_key = ?`

export const oneVersion = `SELECT ${version} FROM ${joined} WHERE e.space = ? AND e.entry_key = ? AND v.version = ?`

export const history = `
  SELECT ${version} FROM ${joined} WHERE e.space = ? AND e.entry_key = ? ORDER BY v.version DESC LIMIT ?`

export const sizes = `
  SELECT version, size, written_at AS "updatedAt" FROM state_versions WHERE space = ? AND entry_key = ?
  ORDER BY version DESC LIMIT ?`

export const sizeOfVersion = `
  SELECT version, size, written_at AS "updatedAt" FROM state_versions WHERE space = ? AND entry_key = ? AND version = ?`

const ranged = (range: string) => ({
  total: `
    SELECT COUNT(*) AS "count", COALESCE(SUM(e.size), 0) AS "size" FROM state_entries e
    WHERE e.space = ? AND ${range} AND e.is_removed = 0`,
  list: `
    SELECT e.entry_key AS "key", e.version AS "version", e.size AS "size", e.owner AS "owner", e.updated_at AS "updatedAt" FROM state_entries e
    WHERE e.space = ? AND ${range} AND e.is_removed = 0 ORDER BY e.entry_key LIMIT ?`,
  query: `
    SELECT e.entry_key AS "key", ${version}
    FROM ${joined} AND v.version = e.version
    WHERE e.space = ? AND ${range} AND e.is_removed = 0 ORDER BY e.entry_key`
})

/** What has keys that begin with a prefix. */
export const inRange = {
  from: ranged("e.entry_key >= ?"),
  between: ranged("e.entry_key >= ? AND e.entry_key < ?")
}

export const used = `SELECT change_count AS "count", used_bytes AS "size" FROM state_spaces WHERE space = ?`

export const changesBehind = `
  SELECT entry_key AS "key", version, owner, is_removed AS "isRemoved", change_number AS "number" FROM state_entries
  WHERE space = ? AND change_number > ? ORDER BY change_number LIMIT ?`

export const newestVersion =
  `SELECT version, is_removed AS "isRemoved" FROM state_entries WHERE space = ? AND entry_key = ?`

/** Which versions behind one are kept, and which one a source wrote. */
export const trace = `
  SELECT e.version, e.is_removed AS "isRemoved", e.source,
    (SELECT COUNT(*) FROM state_versions v WHERE v.space = e.space AND v.entry_key = e.entry_key AND v.version > ?)
      AS "kept",
    (SELECT COUNT(*) FROM state_versions v WHERE v.space = e.space AND v.entry_key = e.entry_key AND v.version = ?)
      AS "isKept",
    (SELECT v.version FROM state_versions v
      WHERE v.space = e.space AND v.entry_key = e.entry_key AND v.source = ? ORDER BY v.version LIMIT 1) AS "own",
    (SELECT v.previous_version FROM state_versions v
      WHERE v.space = e.space AND v.entry_key = e.entry_key AND v.source = ? ORDER BY v.version LIMIT 1) AS "ownPrevious"
  FROM state_entries e WHERE e.space = ? AND e.entry_key = ?`
