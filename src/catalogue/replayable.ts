/** What decides whether an invocation may be sent again: true of a catalogue entry and of a gateway's definition alike. */
export interface Replay {
  readonly name: string
  readonly tags: ReadonlyArray<string>
  readonly sideEffects: ReadonlyArray<unknown>
}

// Reading a mail fills a cache, which is documented as a side effect; a second read changes nothing more.
const harmless = new Set(["email.read"])

/**
 * Whether an invocation that got no answer may be sent again without asking: the capability is tagged `safe` and has no
 * side effects, or its side effects do not matter to anybody. `readOnlyHint` of its MCP tool says the same.
 */
export const isReplayable = (capability: Replay): boolean =>
  harmless.has(capability.name) || (capability.tags.includes("safe") && capability.sideEffects.length === 0)
