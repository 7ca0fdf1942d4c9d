import type { Making } from "./Target.js"
import { gatewayAnswers } from "./targets/answers.js"
import { bodies } from "./targets/bodies.js"
import { errorObjects } from "./targets/errors.js"
import { frames } from "./targets/frames.js"
import { methods } from "./targets/methods.js"

/** Everything of this package that reads what somebody else has written. */
export const targets: ReadonlyArray<Making> = [frames, errorObjects, methods, bodies, gatewayAnswers]
