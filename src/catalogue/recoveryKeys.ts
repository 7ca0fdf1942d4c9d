/**
 * Where the meaning of a recovery action is looked up, most particular first: under the action's name behind that of the
 * capability, behind ever shorter beginnings of that, behind the error's wire type, and alone. `state.shared.get`,
 * `KeyNotFound` and `list_keys` give `state.shared.get.list_keys`, `state.shared.list_keys`, `state.list_keys`,
 * `KeyNotFound.list_keys` and `list_keys`. So one action can mean different things: `search` looks for a file, but for a
 * mail `email.search` does.
 */
export const recoveryKeys = (capability: string | undefined, type: string, action: string): ReadonlyArray<string> => {
  const parts = capability === undefined ? [] : capability.split(".")
  const beginnings = parts.map((_, index) => parts.slice(0, parts.length - index).join("."))
  return [...[...beginnings, type].map((beginning) => `${beginning}.${action}`), action]
}
