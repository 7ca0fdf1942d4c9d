import { knownText, taggedError } from "./base.js"

/** The local replica of the service holds no message with this id: the id is wrong, or it is not synchronised yet. */
export class MessageNotFound extends taggedError<MessageNotFound>()("MessageNotFound", { messageId: knownText }) {}

/** The service, or the gateway on its way there, did not take the write; nothing was sent or changed. */
export class WriteFailed extends taggedError<WriteFailed>()("WriteFailed", {
  writeId: knownText,
  service: knownText,
  reason: knownText
}, { retryable: true }) {}

/** The gateway knows no write with this id. */
export class WriteNotFound extends taggedError<WriteNotFound>()("WriteNotFound", { writeId: knownText }) {}

/** The buffer of the write is over: the service has it, and it cannot be cancelled any more. */
export class WriteAlreadyExecuted extends taggedError<WriteAlreadyExecuted>()("WriteAlreadyExecuted", {
  writeId: knownText
}) {}
