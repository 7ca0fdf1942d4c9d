export const snapshots: ReadonlyArray<string> = [
  `CREATE TABLE snapshots (
    snapshot_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    size BIGINT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (agent, position)
  )`
]
