import { knownText, taggedError } from "./base.js"

/** The agent has no secret of this name; one that was revoked or is denied looks the same. */
export class SecretNotFound extends taggedError<SecretNotFound>()("SecretNotFound", { secretName: knownText }) {}

/** The secret may not be used for this capability. */
export class ScopeViolation extends taggedError<ScopeViolation>()("ScopeViolation", { secretName: knownText }) {}

/** The vault is locked, so that no secret can be read until a human unlocks it. */
export class VaultLocked extends taggedError<VaultLocked>()("VaultLocked", {}) {}
