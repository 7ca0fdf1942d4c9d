import { knownText, taggedError } from "./base.js"

/** The path is in no git repository. */
export class NotARepository extends taggedError<NotARepository>()("NotARepository", { path: knownText }) {}

/** The remote repository was not copied: there is none at the URL, or it does not let the agent in. */
export class CloneFailed extends taggedError<CloneFailed>()("CloneFailed", { url: knownText }) {}

/** What the remote changed and what was changed here cannot be joined without a decision. */
export class MergeConflict extends taggedError<MergeConflict>()("MergeConflict", { path: knownText }) {}

/** The remote could not be asked for its commits: it did not answer, or it does not let the agent in. */
export class PullFailed extends taggedError<PullFailed>()("PullFailed", { path: knownText, remote: knownText }, {
  retryable: true
}) {}

/** The remote has commits that are missing here, so it did not take the branch. */
export class PushRejected extends taggedError<PushRejected>()("PushRejected", {
  path: knownText,
  remote: knownText,
  branch: knownText
}) {}

/** The remote could not be given the commits: it did not answer, or it does not let the agent in. */
export class PushFailed extends taggedError<PushFailed>()("PushFailed", { path: knownText, remote: knownText }, {
  retryable: true
}) {}

/** No file differs from the last commit, or none of those that were named. */
export class NothingToCommit extends taggedError<NothingToCommit>()("NothingToCommit", { path: knownText }) {}

/** git did not make the commit, for instance because it does not know who the author is. */
export class CommitFailed extends taggedError<CommitFailed>()("CommitFailed", { path: knownText }) {}

/** The repository has no commit of this name. The wire's `commit` is `revision` here: an Effect has a method `commit` of its own. */
export class CommitNotFound extends taggedError<CommitNotFound>()("CommitNotFound", {
  path: knownText,
  revision: knownText
}) {}

/** The repository has no branch of this name. */
export class BranchNotFound extends taggedError<BranchNotFound>()("BranchNotFound", {
  path: knownText,
  branch: knownText
}) {}

/** The repository has a branch of this name already. */
export class BranchAlreadyExists extends taggedError<BranchAlreadyExists>()("BranchAlreadyExists", {
  path: knownText,
  branch: knownText
}) {}
