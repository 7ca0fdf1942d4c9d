import { knownText, taggedError } from "./base.js"

/** There is no alert of this id. */
export class AlertNotFound extends taggedError<AlertNotFound>()("AlertNotFound", { alertId: knownText }) {}
