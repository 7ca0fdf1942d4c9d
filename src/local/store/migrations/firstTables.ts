export const firstTables: ReadonlyArray<string> = [
  `CREATE TABLE agents (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    policy_group TEXT NOT NULL,
    workspace TEXT,
    status VARCHAR(16) NOT NULL,
    key_prefix VARCHAR(8) NOT NULL,
    key_hash VARCHAR(64) NOT NULL UNIQUE,
    key_generation INTEGER NOT NULL,
    created_at BIGINT NOT NULL
  )`,
  // An agent's name is also the name of its policy file, and some file systems do not tell cases apart.
  `CREATE UNIQUE INDEX agents_by_folded_name ON agents (LOWER(name))`,
  `CREATE INDEX agents_by_key_prefix ON agents (key_prefix)`,
  `CREATE TABLE sessions (
    session_id VARCHAR(128) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    transport VARCHAR(32) NOT NULL,
    client_name TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    orphaned INTEGER NOT NULL,
    owner_process BIGINT NOT NULL,
    invocations INTEGER NOT NULL
  )`,
  `CREATE INDEX sessions_by_agent ON sessions (agent, started_at)`,
  `CREATE INDEX sessions_by_end ON sessions (agent, ended_at)`,
  `CREATE TABLE inbox_messages (
    message_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    urgency INTEGER NOT NULL,
    sender TEXT NOT NULL,
    channel TEXT,
    message TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    UNIQUE (agent, position)
  )`,
  `CREATE INDEX inbox_messages_by_urgency ON inbox_messages (agent, urgency, position)`,
  `CREATE TABLE trash_entries (
    trash_path VARCHAR(4096) NOT NULL PRIMARY KEY,
    original_path TEXT NOT NULL,
    agent VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    size BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL,
    recoverable_until BIGINT NOT NULL
  )`,
  `CREATE INDEX trash_entries_by_end ON trash_entries (recoverable_until)`,
  `CREATE TABLE approvals (
    approval_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    capability TEXT NOT NULL,
    arguments TEXT NOT NULL,
    digest TEXT NOT NULL,
    rule TEXT NOT NULL,
    reason TEXT,
    status VARCHAR(16) NOT NULL,
    requested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
  )`,
  `CREATE INDEX approvals_by_agent ON approvals (agent, requested_at)`
]
