import type * as Options from "@effect/cli/Options"
import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VaultKey } from "../../local/vault/VaultPlace.js"
import { type CommandFailed, failed, usageFailed } from "../exit.js"
import { optionalText } from "../options.js"
import { oneLine } from "../text.js"

/** The environment variable with the vault's passphrase. */
export const passphraseVariable = "KRUXOS_VAULT_PASSPHRASE"

/** `--vault-key-file` */
export const vaultKeyFile: Options.Options<Option.Option<string>> = optionalText(
  "vault-key-file",
  "FILE",
  "A file with the key of the vault: 32 bytes, or 64 hexadecimal characters. Without one, and without a passphrase in "
    + `${passphraseVariable}, a key is made and kept with the data.`
)

/** What the vault is encrypted with: what the option or the environment says; undefined where neither does. */
export const vaultKey = (
  file: Option.Option<string>
): Effect.Effect<VaultKey | undefined, CommandFailed, Path.Path> =>
  Effect.gen(function*() {
    const paths = yield* Path.Path
    const passphrase = yield* Effect.mapError(
      Config.option(Config.redacted(passphraseVariable)),
      (error) => failed(oneLine(`${passphraseVariable} cannot be read: ${error._op}`))
    )
    if (Option.isNone(file)) return Option.getOrUndefined(Option.map(passphrase, (passphrase) => ({ passphrase })))
    return Option.isSome(passphrase)
      ? yield* usageFailed(`Either --vault-key-file or ${passphraseVariable}, not both`)
      : { keyFile: paths.resolve(file.value) }
  })
