export const schedules: ReadonlyArray<string> = [
  // `running_due` is the time of the run that `owner` has begun; `created_in` and `deleted_in` are what uncommitted transactions have done.
  `CREATE TABLE schedules (
    schedule_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    capability TEXT NOT NULL,
    arguments TEXT,
    expression TEXT,
    description TEXT,
    created_at BIGINT NOT NULL,
    next_run BIGINT,
    running_due BIGINT,
    begun_at BIGINT,
    missed BIGINT NOT NULL,
    owner TEXT,
    last_status VARCHAR(16),
    created_in VARCHAR(64),
    deleted_in VARCHAR(64)
  )`,
  `CREATE INDEX schedules_by_agent ON schedules (agent, kind, created_at)`,
  `CREATE INDEX schedules_by_next_run ON schedules (next_run) WHERE next_run IS NOT NULL`,
  `CREATE INDEX schedules_by_owner ON schedules (owner) WHERE owner IS NOT NULL`,
  `CREATE INDEX schedules_by_creation ON schedules (created_in) WHERE created_in IS NOT NULL`,
  `CREATE INDEX schedules_by_deletion ON schedules (deleted_in) WHERE deleted_in IS NOT NULL`
]
