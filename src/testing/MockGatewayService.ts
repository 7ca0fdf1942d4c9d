import type { BuiltIn } from "../catalogue/builtIn.js"
import type { AnyCatalogue } from "../catalogue/Catalogue.js"
import type { Humans } from "./humans/Humans.js"
import type { ScriptControl } from "./script/ScriptControl.js"
import type { WireControl } from "./wire/WireControl.js"
import type { World } from "./world/World.js"

/** What a test does with its mock gateway, besides what its program does. */
export interface MockGatewayService<C extends AnyCatalogue = BuiltIn> extends ScriptControl<C>, WireControl, World {
  /** Scripted humans, who decide what waits for approval. */
  readonly humans: Humans
}
