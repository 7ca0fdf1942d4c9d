export const transactions: ReadonlyArray<string> = [
  `CREATE TABLE transactions (
    transaction_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    session_id VARCHAR(128) NOT NULL,
    parent_id VARCHAR(64),
    workspace TEXT NOT NULL,
    owner TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    result TEXT,
    began_at BIGINT NOT NULL,
    ended_at BIGINT
  )`,
  `CREATE INDEX transactions_by_status ON transactions (status, owner)`,
  `CREATE INDEX transactions_by_end ON transactions (ended_at)`,
  // The numbers grow over all transactions: what came last is undone first.
  `CREATE TABLE transaction_steps (
    step_number BIGINT NOT NULL PRIMARY KEY,
    transaction_id VARCHAR(64) NOT NULL,
    capability TEXT NOT NULL,
    arguments TEXT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    source VARCHAR(128) NOT NULL,
    before TEXT,
    after TEXT,
    conflicts TEXT
  )`,
  `CREATE INDEX transaction_steps_by_transaction ON transaction_steps (transaction_id, step_number)`,
  `ALTER TABLE approvals ADD COLUMN transaction_id VARCHAR(64)`,
  `CREATE INDEX approvals_by_transaction ON approvals (transaction_id) WHERE transaction_id IS NOT NULL`,
  `ALTER TABLE keyed_invocations ADD COLUMN transaction_id VARCHAR(64)`,
  `CREATE INDEX keyed_invocations_by_transaction ON keyed_invocations (transaction_id) WHERE transaction_id IS NOT NULL`
]
