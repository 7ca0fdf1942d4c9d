export const approvalDecisions: ReadonlyArray<string> = [
  `ALTER TABLE approvals ADD COLUMN idempotency_key VARCHAR(200)`,
  `ALTER TABLE approvals ADD COLUMN decided_at BIGINT`,
  `ALTER TABLE approvals ADD COLUMN decided_by TEXT`,
  `ALTER TABLE approvals ADD COLUMN decision_reason TEXT`,
  // Which gateway carries out what was approved, and from which state of things it began.
  `ALTER TABLE approvals ADD COLUMN owner TEXT`,
  `ALTER TABLE approvals ADD COLUMN began_at BIGINT`,
  `ALTER TABLE approvals ADD COLUMN before TEXT`,
  `ALTER TABLE approvals ADD COLUMN result TEXT`,
  `ALTER TABLE approvals ADD COLUMN collected INTEGER NOT NULL DEFAULT 0`,
  `CREATE INDEX approvals_by_key ON approvals (agent, idempotency_key)`,
  `CREATE INDEX approvals_by_status ON approvals (status, expires_at)`,
  `CREATE INDEX approvals_by_digest ON approvals (agent, digest)`
]
