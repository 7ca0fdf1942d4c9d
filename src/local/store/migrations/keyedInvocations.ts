export const keyedInvocations: ReadonlyArray<string> = [
  // A gateway is known by more than its process, whose id may be used again.
  `ALTER TABLE sessions DROP COLUMN owner_process`,
  `ALTER TABLE sessions ADD COLUMN owner TEXT`,
  `CREATE TABLE keyed_invocations (
    agent VARCHAR(64) NOT NULL,
    idempotency_key VARCHAR(200) NOT NULL,
    capability TEXT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    result TEXT,
    owner TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    completed_at BIGINT,
    PRIMARY KEY (agent, idempotency_key)
  )`,
  `CREATE INDEX keyed_invocations_by_completion ON keyed_invocations (completed_at)`,
  `CREATE TABLE outcome_record (record_id VARCHAR(64) NOT NULL PRIMARY KEY)`
]
