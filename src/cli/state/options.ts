import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { optionalText } from "../options.js"

/** The key that a command is about. */
export const key = Args.text({ name: "key" }).pipe(Args.withDescription("The key: 1 to 512 bytes, such as jobs/42."))

/** Which state is meant: that of a session ends with its connection, so that no command has one. */
export const tier = Options.choice("tier", ["persistent", "shared"]).pipe(
  Options.withDescription(
    "persistent, which is the agent's own, or shared, which all agents have together; persistent if not given."
  ),
  Options.withDefault("persistent")
)

/** `--prefix` */
export const prefix = optionalText("prefix", "TEXT", "Only keys that begin with it.")
