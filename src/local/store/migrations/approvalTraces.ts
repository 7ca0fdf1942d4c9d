export const approvalTraces: ReadonlyArray<string> = [
  // The span of the invocation that asked, of those that go on with its trace when somebody has decided.
  `ALTER TABLE approvals ADD COLUMN traceparent VARCHAR(64)`
]
