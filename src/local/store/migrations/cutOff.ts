export const cutOff: ReadonlyArray<string> = [
  // How far a keyed invocation has come, and from which state of things: only as long as it runs.
  `ALTER TABLE keyed_invocations ADD COLUMN stage VARCHAR(16)`,
  `ALTER TABLE keyed_invocations ADD COLUMN journal TEXT`
]
