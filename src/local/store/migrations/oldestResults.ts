export const oldestResults: ReadonlyArray<string> = [
  `CREATE INDEX keyed_invocations_by_result ON keyed_invocations (agent, completed_at) WHERE status = 'done'`
]
