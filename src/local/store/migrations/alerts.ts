export const alerts: ReadonlyArray<string> = [
  `CREATE TABLE alerts (
    alert_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    severity VARCHAR(16) NOT NULL,
    title TEXT,
    message TEXT NOT NULL,
    context TEXT,
    status VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    UNIQUE (agent, position)
  )`,
  `CREATE INDEX alerts_by_agent_status ON alerts (agent, status, position)`,
  `CREATE INDEX alerts_by_status ON alerts (status)`
]
