export const auditLog: ReadonlyArray<string> = [
  `CREATE TABLE audit_log (
    sequence INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    agent VARCHAR(64),
    session_id VARCHAR(128),
    capability TEXT,
    tier VARCHAR(32),
    rule TEXT,
    approval_id VARCHAR(64),
    idempotency_key VARCHAR(200),
    details TEXT NOT NULL,
    previous_hash VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL
  )`,
  // In SQLite's words, which Postgres would say otherwise. The last also forbids INSERT OR REPLACE, at which no trigger of a DELETE fires.
  `CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END`,
  `CREATE TRIGGER audit_log_is_not_removed BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END`,
  `CREATE TRIGGER audit_log_is_a_chain BEFORE INSERT ON audit_log
    WHEN NEW.sequence IS NOT (SELECT COALESCE(MAX(sequence), 0) + 1 FROM audit_log)
      OR NEW.previous_hash IS NOT COALESCE((SELECT hash FROM audit_log ORDER BY sequence DESC LIMIT 1),
        '0000000000000000000000000000000000000000000000000000000000000000')
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to at its end'); END`
]
