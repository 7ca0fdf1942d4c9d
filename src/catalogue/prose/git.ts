import type * as entries from "../git.js"
import type { Proses } from "../Prose.js"

type Git = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const path = "The repository: its directory, or any path inside it."

const pathOutOfScope = "The path leads out of the workspace, by itself or through a symbolic link."

const notARepository = "The path is in no git repository."

const inRepository = { PathOutOfScope: pathOutOfScope, NotARepository: notARepository }

const destinationExists = "There is something at the path already."

/** The words of `git.*`. */
export const git: Proses<Git> = {
  "git.init": {
    purpose: "Makes a new, empty git repository in a directory of the workspace.",
    whenToUse: "Use it to start a history of your own. For a repository that exists elsewhere take git.clone.",
    inputs: {
      path: "The directory of the new repository: /workspace/…, or relative to the workspace.",
      default_branch: "The name of its first branch."
    },
    outputs: { path: "The repository, as /workspace/….", default_branch: "The name of its first branch." },
    errors: { PathOutOfScope: pathOutOfScope, DestinationExists: "There is a repository at the path already." },
    sideEffects: ["There is an empty repository at the path."],
    commonPatterns: [{
      description: "Keep the versions of what you write",
      steps: ["git.init of the directory", "filesystem.write of the files", "git.commit after each step that works"]
    }]
  },
  "git.clone": {
    purpose: "Copies a remote git repository into the workspace, with its files and its history.",
    whenToUse: "Use it once for each repository; later git.pull brings it up to date. With depth it is quicker, and " +
      "git.log sees less. For a single file network.download is enough.",
    inputs: {
      url: "The URL of the repository; the policy must allow its host.",
      path: "The directory to make; there must be nothing at it yet.",
      branch: "The branch to check out; left out, the default branch of the remote.",
      depth: "How many of the latest commits to fetch; left out, all of them."
    },
    outputs: {
      path: "The repository, as /workspace/….",
      default_branch: "The name of the remote's default branch.",
      head_commit: "The hash of the commit that is checked out."
    },
    errors: {
      PathOutOfScope: pathOutOfScope,
      CloneFailed: "There is no repository at the URL, it needs a login, or it could not be reached.",
      DestinationExists: destinationExists
    },
    sideEffects: ["The repository is in the workspace."],
    commonPatterns: [{
      description: "Get to know a project",
      steps: ["git.clone with depth 1", "filesystem.read of its README", "filesystem.search_content for what matters"]
    }]
  },
  "git.status": {
    purpose:
      "Tells the branch of a repository, its changed, new and conflicted files, and how it compares to its remote.",
    whenToUse: "Use it before a commit, a pull or a switch of branches, and after a conflict. For how many lines " +
      "changed in each file take git.diff, for past commits git.log.",
    inputs: { path },
    outputs: {
      branch: "The branch that is checked out; null when a commit is, and no branch.",
      staged: "Files whose changes are marked for the next commit, and how each changed.",
      unstaged: "Files with further changes, and how each changed.",
      untracked: "Files that git does not know yet and that are not ignored.",
      conflicted: "Files with a conflict that nobody has resolved yet.",
      upstream: "The remote branch that this one follows, such as origin/main; null when there is none.",
      ahead: "How many commits the upstream lacks.",
      behind: "How many commits of the upstream are missing here.",
      state:
        "clean, dirty, or what was begun and not finished: merging, rebasing, cherry_picking, reverting, bisecting."
    },
    errors: inRepository,
    sideEffects: [],
    commonPatterns: [
      {
        description: "Commit only what belongs together",
        steps: ["git.status to see what changed", "git.commit with files"]
      },
      {
        description: "Resolve a conflict",
        steps: [
          "git.status and take conflicted",
          "filesystem.edit of each of these files until no conflict marker is left",
          "git.commit"
        ]
      }
    ]
  },
  "git.pull": {
    purpose: "Fetches new commits of a remote and merges them into the branch that is checked out.",
    whenToUse: "Use it before starting work on a repository that others change too, and when git.push was rejected. " +
      "Commit your own changes first.",
    inputs: {
      path,
      remote: "The name of the remote.",
      branch: "The remote branch to merge; left out, the one that the present branch follows."
    },
    outputs: {
      new_commits: "How many commits came.",
      files_changed: "How many files they changed.",
      head_commit: "The hash of the commit that is now checked out.",
      up_to_date: "Whether there was nothing new."
    },
    errors: {
      ...inRepository,
      MergeConflict: "The same lines changed here and there, so the merge needs a decision.",
      PullFailed: "The remote did not answer, or does not let you in."
    },
    sideEffects: ["The branch and the files hold what the remote had."],
    commonPatterns: [{
      description: "Bring your work up to date",
      steps: ["git.commit of what you changed", "git.pull", "On MergeConflict: git.status, and edit what is conflicted"]
    }]
  },
  "git.push": {
    purpose: "Sends the commits of a branch to a remote repository, where others see them.",
    whenToUse: "Use it when the work is done and checked: it cannot be taken back. It never overwrites what others " +
      "pushed; it is then rejected.",
    inputs: {
      path,
      remote: "The name of the remote.",
      branch: "The branch to send; left out, the one that is checked out."
    },
    outputs: {
      pushed_refs: "The names that the remote updated.",
      head_commit: "The hash of the last commit that was sent."
    },
    errors: {
      ...inRepository,
      PushRejected: "The remote has commits that are missing here.",
      PushFailed: "The remote did not answer, or does not let you in."
    },
    sideEffects: ["The remote has the commits, for everybody to see."],
    commonPatterns: [{
      description: "Publish a change for review",
      steps: [
        "git.branch with action create and a name",
        "git.branch with action switch",
        "git.commit",
        "git.push with that branch"
      ]
    }]
  },
  "git.commit": {
    purpose: "Records changed and new files of a repository as a commit of the present branch.",
    whenToUse: "Use it after each step that works, so that there is something to return to. Without files it takes " +
      "all that is modified or new: look at git.status first. Nobody else sees it before git.push.",
    inputs: {
      path,
      message: "What was changed and why; first a short line.",
      files: "Only these files, with paths relative to the top of the repository. Left out: all modified and new ones.",
      author_name: "The name of the author; left out, the one in the repository's settings.",
      author_email: "The e-mail address of the author; left out, the one in the repository's settings."
    },
    outputs: {
      commit_hash: "The hash of the new commit.",
      files_committed: "How many files it changes.",
      branch: "The branch that it is on."
    },
    errors: {
      ...inRepository,
      NothingToCommit: "No file changed, or none of those that were named.",
      CommitFailed: "git refused the commit, for instance because it knows no author."
    },
    sideEffects: ["The branch has one more commit."],
    commonPatterns: [{
      description: "Record one change out of several",
      steps: ["git.status", "git.commit with files and a message", "git.status to see what is left"]
    }]
  },
  "git.diff": {
    purpose: "Tells which files of a repository differ, and how many lines were added and deleted in each.",
    whenToUse: "Use it to judge the size of a change before a commit. It counts lines and does not show them: for " +
      "the text itself take process.run with git diff.",
    inputs: {
      path,
      cached: "Compares what is marked for the next commit, in place of all changes.",
      commit: "The commit to compare with; left out, the latest one."
    },
    outputs: {
      changes: "Each file that differs: how it changed, and its numbers of added and deleted lines.",
      total_additions: "How many lines were added in all files.",
      total_deletions: "How many lines were deleted in all files.",
      files_changed: "How many files differ."
    },
    errors: { ...inRepository, CommitNotFound: "There is no commit of this name." },
    sideEffects: [],
    commonPatterns: [{
      description: "Review your work before a commit",
      steps: ["git.diff", "filesystem.read of files that changed more than you expect", "git.commit"]
    }]
  },
  "git.log": {
    purpose: "Lists the commits of a branch, the latest first, with hash, message, author and time.",
    whenToUse: "Use it to learn what happened and when, or to find the hash of a commit. For changes that are not " +
      "committed yet take git.status.",
    inputs: {
      path,
      limit: "How many commits to give at most; up to 500.",
      branch: "The branch to look at; left out, the one that is checked out.",
      since: "Only commits from this time on, ISO 8601; without a zone, UTC.",
      author: "Only commits whose author's name or e-mail address contains this text."
    },
    outputs: {
      commits: "Each commit: its hash, the first 7 characters of it, message, author and time.",
      total_returned: "How many commits are in the answer.",
      branch: "The branch that was looked at."
    },
    errors: { ...inRepository, BranchNotFound: "There is no branch of this name." },
    sideEffects: [],
    commonPatterns: [{
      description: "See what changed since a commit",
      steps: ["git.log and take the hash", "git.diff with that commit"]
    }]
  },
  "git.branch": {
    purpose: "Lists, creates, switches to or deletes branches of a repository.",
    whenToUse: "Use it before work that should stay apart until it is done. Every action answers with all branches. " +
      "Creating a branch does not switch to it.",
    inputs: {
      path,
      action: "What to do.",
      name: "The branch to create, switch to or delete; not needed to list.",
      start_point: "With create: the branch or commit to start at; left out, the present one."
    },
    outputs: {
      branches: "All branches: the name, whether it is checked out, and whether it is one of a remote.",
      current_branch: "The branch that is checked out."
    },
    errors: {
      ...inRepository,
      BranchNotFound: "There is no branch of this name.",
      BranchAlreadyExists: "There is a branch of this name already.",
      InvalidAction: "There is no such action, or it lacks the name of a branch."
    },
    sideEffects: ["The branch was made or deleted, or the files are those of another branch."],
    commonPatterns: [{
      description: "Try something without risk",
      steps: [
        "git.commit of what there is",
        "git.branch with action create, then with action switch",
        "Work; to give up, git.branch with action switch back and action delete"
      ]
    }]
  }
}
