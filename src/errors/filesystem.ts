import { knownNumber, knownText, taggedError } from "./base.js"

/** The path leads out of the agent's workspace. */
export class PathOutOfScope extends taggedError<PathOutOfScope>()("PathOutOfScope", { path: knownText }) {}

/** There is no file at the path. */
export class FileNotFound extends taggedError<FileNotFound>()("FileNotFound", { path: knownText }) {}

/** There is no directory at the path. */
export class DirectoryNotFound extends taggedError<DirectoryNotFound>()("DirectoryNotFound", { path: knownText }) {}

/** The path is a file where a directory is needed. */
export class NotADirectory extends taggedError<NotADirectory>()("NotADirectory", { path: knownText }) {}

/** The bytes of the file are not text in the encoding asked for. */
export class EncodingError extends taggedError<EncodingError>()("EncodingError", {
  path: knownText,
  encoding: knownText
}) {}

/** The directory that the file is to be written into does not exist. */
export class ParentNotFound extends taggedError<ParentNotFound>()("ParentNotFound", { path: knownText }) {}

/** There is no room left to write. */
export class DiskFull extends taggedError<DiskFull>()("DiskFull", { path: knownText }) {}

/** Only an empty directory can be deleted. */
export class DirectoryNotEmpty extends taggedError<DirectoryNotEmpty>()("DirectoryNotEmpty", { path: knownText }) {}

/** The glob pattern or regular expression cannot be understood, or is one that is refused. */
export class InvalidPattern extends taggedError<InvalidPattern>()("InvalidPattern", { pattern: knownText }) {}

/** Something is at the destination already. */
export class DestinationExists extends taggedError<DestinationExists>()("DestinationExists", { path: knownText }) {}

/** The session watches as many directories as it may. */
export class TooManyWatches extends taggedError<TooManyWatches>()("TooManyWatches", { limit: knownNumber }) {}

/** The pattern occurs more or less often than expected; nothing was written. */
export class ReplacementCountMismatch extends taggedError<ReplacementCountMismatch>()("ReplacementCountMismatch", {
  expected: knownNumber,
  actual: knownNumber
}) {}

/** The trash holds nothing under this path, or no longer. */
export class TrashEntryNotFound extends taggedError<TrashEntryNotFound>()("TrashEntryNotFound", { path: knownText }) {}
