import * as Options from "@effect/cli/Options"
import type { SandboxChoice } from "../local/sandbox/Sandbox.js"

const choices = ["auto", "bubblewrap", "none"] as const

/** `--sandbox` */
export const sandboxOption: Options.Options<(typeof choices)[number]> = Options.choice("sandbox", choices).pipe(
  Options.withDescription(
    "What holds the programs that agents run: bubblewrap, which auto means too, or none, where they can do all that you can. "
      + "Without bubblewrap, and without none, no program is run; `kruxos doctor` says what holds."
  ),
  Options.withDefault("auto")
)

/** What it means to a gateway. */
export const sandboxOf = (given: (typeof choices)[number]): SandboxChoice | undefined =>
  given === "auto" ? undefined : given
