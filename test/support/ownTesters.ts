import { effect, flakyTest, layer, live, prop, scoped, scopedLive } from "@effect/vitest"
import { it } from "vitest"

// `layer` of @effect/vitest puts the testers of its layer onto vitest's own `it`, which the test files of a process share.
Object.assign(it, { effect, flakyTest, layer, live, prop, scoped, scopedLive })
