import type * as entries from "../email.js"
import type { Proses } from "../Prose.js"

type Email = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const messageId = "The id of the message, as email.search gives it."

const writeId = "The id of the buffered write; keep it for proxy.cancel_write."

const bufferUntil = "Until when it can still be cancelled."

const messageNotFound = "The local copy of the mailbox holds no message with this id, or not yet."

const noMessageId = "The message_id is missing or empty."

const batchProtected = "More such writes in a time than the gateway lets through."

/** The words of `email.*`. */
export const email: Proses<Email> = {
  "email.search": {
    purpose: "Finds e-mails by text, label and read state in the gateway's local copy of the mailbox.",
    whenToUse: "Use it to find messages and their ids; it makes no call to the mail service, so ask as often as you " +
      "like. It looks into addresses, subject and snippet only: for the whole text of a message take email.read. The " +
      "copy may be some minutes behind.",
    inputs: {
      query: "Text that the sender, the recipient, the subject or the snippet contains, in upper or lower case.",
      label: "Only messages with exactly this label, such as INBOX.",
      is_read: "true for messages that were read, false for unread ones; left out, both.",
      limit: "How many messages to give at most, up to 100.",
      offset: "How many of the found messages to pass over, to go on where the last answer ended."
    },
    outputs: {
      messages: "The messages: id, thread, sender, recipient, subject, snippet, labels, date, whether read, whether " +
        "it has attachments.",
      total: "How many messages match, also those beyond limit."
    },
    errors: { DatabaseError: "The local copy of the mailbox could not be read." },
    sideEffects: [],
    commonPatterns: [
      {
        description: "Go through unread mail",
        steps: ["email.search with is_read false", "email.read of those whose subject or snippet matters"]
      },
      {
        description: "Page through many results",
        steps: ["email.search with limit 100", "Again with offset moved on by 100, until offset reaches total"]
      }
    ]
  },
  "email.read": {
    purpose: "Reads one e-mail with its whole text.",
    whenToUse: "Use it once you have the id from email.search. The first time the body comes from the mail service, " +
      "afterwards from the cache. It does not mark the message as read.",
    inputs: { message_id: messageId },
    outputs: {
      message: "Sender, recipient, subject, labels, date and the rest of what email.search gives.",
      body: "The text, plain and as HTML; a message may have only one of the two. cached_at says when it was fetched."
    },
    errors: {
      MessageNotFound: messageNotFound,
      BodyFetchFailed: "The message is known, but the mail service did not give its body."
    },
    sideEffects: ["The body is kept in the local cache."],
    commonPatterns: [{
      description: "Answer a message",
      steps: [
        "email.search for it",
        "email.read of its id",
        "email.send to its sender, with Re: in front of the subject"
      ]
    }]
  },
  "email.send": {
    purpose: "Sends an e-mail, after 5 minutes in which it can be cancelled.",
    whenToUse: "Use it when the text is final. If a human should look at it first, take email.draft. Do not send " +
      "again because nothing has arrived yet: the message waits in the buffer. By default 20 an hour are let through.",
    inputs: {
      to: "The recipients' addresses, separated by commas.",
      subject: "The subject.",
      body: "The text of the message.",
      from: "The sender; \"me\" is the mailbox's own address.",
      cc: "Addresses that get a copy, separated by commas.",
      bcc: "Addresses that get a copy without the others seeing it, separated by commas."
    },
    outputs: {
      write_id: writeId,
      buffer_until: "When it is sent; until then it can be cancelled.",
      status: "buffered while it waits, completed when it was sent at once."
    },
    errors: {
      MissingParameter: "There is no recipient.",
      BatchProtection: batchProtected,
      WriteFailed: "The message was not taken: an address or another argument is wrong, or the service is in trouble."
    },
    sideEffects: [
      "The message waits in the buffer for 5 minutes, where proxy.cancel_write still stops it.",
      "After that it is sent, and nothing calls it back.",
      "It counts towards the number of messages that are let through in an hour."
    ],
    commonPatterns: [
      {
        description: "Send, and think better of it",
        steps: ["email.send and keep write_id", "proxy.cancel_write with it before buffer_until"]
      },
      {
        description: "Send a report",
        steps: ["filesystem.read of the report", "email.send with its text as the body"]
      }
    ]
  },
  "email.delete": {
    purpose: "Deletes one e-mail, after 24 hours in which it can be cancelled.",
    whenToUse: "Use it for single messages that are certainly not needed. To get a message out of the inbox and keep " +
      "it, take email.move. By default 5 in a session are let through.",
    inputs: { message_id: messageId },
    outputs: { write_id: writeId, buffer_until: bufferUntil, status: "buffered: it waits." },
    errors: {
      MissingParameter: noMessageId,
      BatchProtection: batchProtected,
      MessageNotFound: messageNotFound
    },
    sideEffects: [
      "The deletion waits in the buffer for 24 hours, where proxy.cancel_write still stops it.",
      "After that the mail service deletes the message, in the end for good.",
      "The message is kept as a rollback point for 72 hours.",
      "It counts towards the number of deletions that are let through in a session."
    ],
    commonPatterns: [{
      description: "Delete the right message",
      steps: ["email.search", "email.read to be sure", "email.delete, and keep write_id"]
    }]
  },
  "email.move": {
    purpose: "Adds labels to an e-mail and takes others away, which also moves it between folders.",
    whenToUse:
      "Use it to archive, to file or to mark messages; nothing is lost by it. It takes effect after an hour, " +
      "in which it can be cancelled, so email.search shows the old labels until then.",
    inputs: {
      message_id: messageId,
      add_labels: "Labels to add.",
      remove_labels: "Labels to take away. Give at least one label here or in add_labels."
    },
    outputs: { write_id: writeId, buffer_until: bufferUntil, status: "buffered: it waits." },
    errors: { MissingParameter: noMessageId, NoLabelsProvided: "There is no label to add and none to take away." },
    sideEffects: [
      "The change waits in the buffer for an hour, where proxy.cancel_write still stops it.",
      "After that the message has the new labels; the old ones are kept as a rollback point.",
      "The rollback point is gone after 72 hours."
    ],
    commonPatterns: [{
      description: "Archive what is done",
      steps: ["email.search with label INBOX", "email.move of each with remove_labels [\"INBOX\"]"]
    }]
  },
  "email.draft": {
    purpose: "Puts an e-mail into the drafts, at once and without sending it.",
    whenToUse: "Use it when a human is to read or send the message. What is to go out by itself is for email.send.",
    inputs: {
      to: "The recipients' addresses, separated by commas.",
      subject: "The subject.",
      body: "The text of the message.",
      from: "The sender; \"me\" is the mailbox's own address."
    },
    outputs: { draft_id: "The id of the draft.", to: "The recipients.", subject: "The subject." },
    errors: {
      MissingParameter: "There is no recipient.",
      WriteFailed: "The mail service did not take the draft."
    },
    sideEffects: ["There is one more draft in the mailbox."],
    commonPatterns: [{
      description: "Prepare answers for a human",
      steps: ["email.search with is_read false", "email.read of each", "email.draft of the answer"]
    }]
  },
  "email.bulk_delete": {
    purpose: "Refuses to delete many e-mails at once; it is here so that the refusal says what to do instead.",
    whenToUse: "Do not use it: it deletes nothing, and the default policy blocks it. Delete messages singly with " +
      "email.delete, or get them out of the inbox with email.move.",
    inputs: { message_ids: "The ids of the messages." },
    outputs: { error: "Why nothing was deleted." },
    errors: { OperationBlocked: "Always: the operation is blocked." },
    sideEffects: [],
    commonPatterns: [{
      description: "Clear many messages away without it",
      steps: ["email.search for them", "email.move of each with remove_labels [\"INBOX\"], or email.delete of a few"]
    }]
  }
}
