import { knownText, taggedError } from "./base.js"

/** There is no agent of this name. */
export class RecipientNotFound extends taggedError<RecipientNotFound>()("RecipientNotFound", {
  recipient: knownText
}) {}
