export const state: ReadonlyArray<string> = [
  // A space is an agent's, by its name, or `*`, which all agents share. Room is counted in bytes of keys and values, of all versions kept.
  `CREATE TABLE state_spaces (
    space VARCHAR(64) NOT NULL PRIMARY KEY,
    used_bytes BIGINT NOT NULL,
    key_count BIGINT NOT NULL,
    removed_count BIGINT NOT NULL,
    version_floor BIGINT NOT NULL,
    change_count BIGINT NOT NULL
  )`,
  // Keys are compared byte by byte: SQLite does so by itself, Postgres with the collation "C". A removed key stays for its version.
  `CREATE TABLE state_entries (
    space VARCHAR(64) NOT NULL,
    entry_key VARCHAR(512) NOT NULL,
    version BIGINT NOT NULL,
    is_removed INTEGER NOT NULL,
    size BIGINT NOT NULL,
    owner VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    change_number BIGINT NOT NULL,
    source VARCHAR(128) NOT NULL,
    PRIMARY KEY (space, entry_key)
  )`,
  `CREATE INDEX state_entries_by_change ON state_entries (space, change_number)`,
  `CREATE INDEX state_entries_removed ON state_entries (space, change_number) WHERE is_removed = 1`,
  `CREATE TABLE state_versions (
    space VARCHAR(64) NOT NULL,
    entry_key VARCHAR(512) NOT NULL,
    version BIGINT NOT NULL,
    previous_version BIGINT NOT NULL,
    size BIGINT NOT NULL,
    writer VARCHAR(64) NOT NULL,
    written_at BIGINT NOT NULL,
    source VARCHAR(128) NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (space, entry_key, version)
  )`,
  `CREATE INDEX inbox_messages_by_channel ON inbox_messages (agent, channel)`
]
