import * as Context from "effect/Context"

const hexadecimal = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** A key that no other invocation has. */
export const makeIdempotencyKey = (): string =>
  // Browsers have the short way only on pages that came over https.
  typeof crypto.randomUUID === "function"
    ? crypto.randomUUID()
    : hexadecimal(crypto.getRandomValues(new Uint8Array(16)))

/** What makes the keys of invocations that a Layer's services are asked for: {@link makeIdempotencyKey}, unless a test wants the same ones. */
export class IdempotencyKeys extends Context.Reference<IdempotencyKeys>()("kruxos/services/IdempotencyKeys", {
  defaultValue: () => makeIdempotencyKey
}) {}
