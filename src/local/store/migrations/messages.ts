export const messages: ReadonlyArray<string> = [
  `CREATE TABLE channel_subscriptions (
    subscription_id VARCHAR(64) NOT NULL PRIMARY KEY,
    channel VARCHAR(256) NOT NULL,
    agent VARCHAR(64) NOT NULL,
    session_id VARCHAR(128) NOT NULL,
    owner TEXT NOT NULL
  )`,
  `CREATE INDEX channel_subscriptions_by_channel ON channel_subscriptions (channel)`,
  `CREATE INDEX channel_subscriptions_by_session ON channel_subscriptions (session_id, channel)`,
  // What uncommitted transactions have sent: under `token` until then.
  `CREATE TABLE held_messages (
    message_id VARCHAR(64) NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    token VARCHAR(64) NOT NULL,
    agent VARCHAR(64) NOT NULL,
    urgency INTEGER NOT NULL,
    sender TEXT NOT NULL,
    channel TEXT,
    message TEXT NOT NULL,
    sent_at BIGINT NOT NULL
  )`,
  `CREATE INDEX held_messages_by_token ON held_messages (token, position)`,
  `CREATE INDEX held_messages_by_agent ON held_messages (agent)`,
  `CREATE INDEX inbox_messages_by_sender ON inbox_messages (agent, sender)`
]
