export const secrets: ReadonlyArray<string> = [
  `CREATE TABLE vaults (
    vault_id VARCHAR(16) NOT NULL PRIMARY KEY,
    key_kind VARCHAR(16) NOT NULL,
    salt VARCHAR(64) NOT NULL,
    key_check TEXT NOT NULL
  )`,
  `CREATE TABLE secrets (
    name VARCHAR(128) NOT NULL PRIMARY KEY,
    type VARCHAR(32) NOT NULL,
    agents TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    hosts TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT,
    revoked_at BIGINT,
    sealed TEXT
  )`
]
