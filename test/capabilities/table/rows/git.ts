import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { author, gitIn } from "../../../local/capabilities/git/support.js"
import { failing, type FailureRow, type Row, type Table } from "../Row.js"
import type { World } from "../World.js"

// A repository with one commit.
const repository = ({ directory, host, put }: World) => {
  const path = `${directory}/repository`
  const git = (...args: ReadonlyArray<string>) => gitIn(host(path), ...args)
  put(`${path}/a.txt`, "one\n")
  git("init", "--quiet")
  git("add", "--all")
  git("commit", "--quiet", "--message=first")
  return { path, git, head: () => git("rev-parse", "HEAD") }
}

// A repository, a bare one that it pushes to, and what somebody else has pushed there.
const withRemote = (world: World) => {
  const made = repository(world)
  const { path, git } = made
  gitIn(world.host(path), "clone", "--quiet", "--bare", ".", "../remote.git")
  git("remote", "add", "origin", "../remote.git")
  git("fetch", "--quiet", "origin")
  git("branch", "--quiet", "--set-upstream-to=origin/main")
  const remote = world.host(path.replace("repository", "remote.git"))
  const pushed = (file: string, text: string) => {
    const other = world.host(path.replace("repository", "other"))
    gitIn(world.host(path), "clone", "--quiet", remote, other)
    fs.writeFileSync(`${other}/${file}`, text)
    gitIn(other, "add", "--all")
    gitIn(other, "commit", "--quiet", `--message=${file}`)
    gitIn(other, "push", "--quiet")
    return gitIn(other, "rev-parse", "HEAD")
  }
  return { ...made, remote, pushed }
}

type InRepository = "git.status" | "git.pull" | "git.push" | "git.commit" | "git.diff" | "git.log" | "git.branch"

const inRepository = (
  name: InRepository,
  input: { readonly [name: string]: unknown } = {}
): { readonly PathOutOfScope: FailureRow; readonly NotARepository: FailureRow } => ({
  PathOutOfScope: ({ invokeDynamic }) => failing(invokeDynamic(name, { ...input, path: "/etc" }), { path: "/etc" }),
  NotARepository: ({ directory, invokeDynamic }) =>
    failing(invokeDynamic(name, { ...input, path: directory }), { path: directory })
})

const list = { action: "list" } as const

const depthOf = (limit: number): Row => (world) =>
  Effect.gen(function*() {
    const { path } = repository(world)
    const error = yield* Effect.flip(world.invokeDynamic("git.log", { path, limit }))
    expect(error).toMatchObject({ _tag: "InvalidInput", field: "limit" })
  })

export const git: Table<"git"> = {
  "git.init": {
    success: ({ directory, host, invoke }) =>
      Effect.gen(function*() {
        const path = `${directory}/new`
        const made = yield* invoke("git.init", { path, default_branch: "trunk" })
        assert.deepStrictEqual(made, { path: `/workspace/${path}`, default_branch: "trunk" })
        assert.strictEqual(gitIn(host(path), "symbolic-ref", "HEAD"), "refs/heads/trunk")
      }),
    errors: {
      PathOutOfScope: ({ invoke }) => failing(invoke("git.init", { path: "/tmp/new" }), { path: "/tmp/new" }),
      DestinationExists: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.init", { path }), { path })
      }
    }
  },
  "git.clone": {
    success: (world) =>
      Effect.gen(function*() {
        const { head, path } = repository(world)
        const to = `${path}-copy`
        const cloned = yield* world.invoke("git.clone", { url: `/workspace/${path}`, path: to })
        assert.deepStrictEqual(cloned, { path: `/workspace/${to}`, default_branch: "main", head_commit: head() })
        assert.strictEqual(world.text(`${to}/a.txt`), "one\n")
      }),
    errors: {
      PathOutOfScope: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.clone", { url: `/workspace/${path}`, path: "/tmp/copy" }), {
          path: "/tmp/copy"
        })
      },
      CloneFailed: ({ directory, invoke }) => {
        const url = `/workspace/${directory}/no`
        return failing(invoke("git.clone", { url, path: `${directory}/copy` }), { url })
      },
      DestinationExists: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.clone", { url: `/workspace/${path}`, path }), { path })
      }
    },
    limits: {
      "leaves nothing of a clone that has failed": ({ directory, host, invoke }) =>
        Effect.gen(function*() {
          yield* Effect.flip(invoke("git.clone", { url: `/workspace/${directory}/no`, path: `${directory}/copy` }))
          assert.deepStrictEqual(fs.readdirSync(host(directory)), [])
        })
    }
  },
  "git.status": {
    success: (world) =>
      Effect.gen(function*() {
        const { git: run, path } = repository(world)
        world.put(`${path}/a.txt`, "two\n")
        world.put(`${path}/staged.txt`, "")
        run("add", "staged.txt")
        world.put(`${path}/new.txt`, "")
        expect(yield* world.invoke("git.status", { path })).toMatchObject({
          branch: "main",
          staged: [{ file: "staged.txt", status: "added" }],
          unstaged: [{ file: "a.txt", status: "modified" }],
          untracked: ["new.txt"],
          upstream: null,
          state: "dirty"
        })
      }),
    errors: inRepository("git.status")
  },
  "git.pull": {
    success: (world) =>
      Effect.gen(function*() {
        const { path, pushed } = withRemote(world)
        const head_commit = pushed("b.txt", "b\n")
        const pulled = yield* world.invoke("git.pull", { path })
        assert.deepStrictEqual(pulled, { new_commits: 1, files_changed: 1, head_commit, up_to_date: false })
        assert.strictEqual(world.text(`${path}/b.txt`), "b\n")
        expect(yield* world.invoke("git.pull", { path })).toMatchObject({ new_commits: 0, up_to_date: true })
      }),
    errors: {
      ...inRepository("git.pull"),
      MergeConflict: (world) => {
        const { git: run, path, pushed } = withRemote(world)
        pushed("a.txt", "theirs\n")
        world.put(`${path}/a.txt`, "ours\n")
        run("commit", "--quiet", "--all", "--message=ours")
        run("config", "user.name", "Ada")
        run("config", "user.email", "ada@example.org")
        return failing(world.invoke("git.pull", { path }), { path, context: { files: ["a.txt"] } })
      },
      PullFailed: (world) => {
        const { path, remote } = withRemote(world)
        fs.rmSync(remote, { recursive: true })
        return failing(world.invoke("git.pull", { path }), { path, remote: "origin" })
      }
    }
  },
  "git.push": {
    success: (world) =>
      Effect.gen(function*() {
        const { git: run, head, path, remote } = withRemote(world)
        run("commit", "--quiet", "--allow-empty", "--message=second")
        const pushed = yield* world.invoke("git.push", { path })
        assert.deepStrictEqual(pushed, { pushed_refs: ["refs/heads/main"], head_commit: head() })
        assert.strictEqual(gitIn(remote, "rev-parse", "main"), head())
      }),
    errors: {
      ...inRepository("git.push"),
      PushRejected: (world) => {
        const { git: run, path, pushed } = withRemote(world)
        pushed("b.txt", "b\n")
        run("commit", "--quiet", "--allow-empty", "--message=second")
        return failing(world.invoke("git.push", { path }), { path, remote: "origin", branch: "main" })
      },
      PushFailed: (world) => {
        const { path, remote } = withRemote(world)
        fs.rmSync(remote, { recursive: true })
        return failing(world.invoke("git.push", { path }), { path, remote: "origin" })
      }
    }
  },
  "git.commit": {
    success: (world) =>
      Effect.gen(function*() {
        const { git: run, head, path } = repository(world)
        world.put(`${path}/a.txt`, "two\n")
        world.put(`${path}/b.txt`, "new\n")
        const committed = yield* world.invoke("git.commit", { path, message: "both", ...author })
        assert.deepStrictEqual(committed, { commit_hash: head(), files_committed: 2, branch: "main" })
        assert.strictEqual(run("log", "-1", "--format=%an %ae %s"), "Ada ada@example.org both")
        assert.strictEqual(run("status", "--porcelain"), "")
      }),
    errors: {
      ...inRepository("git.commit", { message: "none" }),
      NothingToCommit: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.commit", { path, message: "none", ...author }), { path })
      },
      CommitFailed: (world) => {
        const { path } = repository(world)
        world.put(`${path}/a.txt`, "two\n")
        return failing(world.invoke("git.commit", { path, message: "by nobody" }), { path })
      }
    },
    limits: {
      "takes the files that are named, and no others": (world) =>
        Effect.gen(function*() {
          const { git: run, path } = repository(world)
          world.put(`${path}/a.txt`, "two\n")
          world.put(`${path}/b.txt`, "new\n")
          yield* world.invoke("git.commit", { path, message: "one", files: ["b.txt"], ...author })
          assert.strictEqual(run("show", "--format=", "--name-only"), "b.txt")
        })
    }
  },
  "git.diff": {
    success: (world) =>
      Effect.gen(function*() {
        const { path } = repository(world)
        world.put(`${path}/a.txt`, "two\nthree\n")
        assert.deepStrictEqual(yield* world.invoke("git.diff", { path }), {
          changes: [{ file: "a.txt", status: "modified", additions: 2, deletions: 1 }],
          total_additions: 2,
          total_deletions: 1,
          files_changed: 1
        })
      }),
    errors: {
      ...inRepository("git.diff"),
      CommitNotFound: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.diff", { path, commit: "no-such" }), { path, revision: "no-such" })
      }
    }
  },
  "git.log": {
    success: (world) =>
      Effect.gen(function*() {
        const { git: run, head, path } = repository(world)
        run("commit", "--quiet", "--allow-empty", "--message=second")
        const { branch, commits } = yield* world.invoke("git.log", { path })
        assert.deepStrictEqual(commits.map(({ message }) => message.trim()), ["second", "first"])
        const [last] = commits
        assert.deepInclude(last, { hash: head(), short_hash: head().slice(0, 7), author_name: "Eve" })
        assert.strictEqual(branch, "main")
        const few = yield* world.invoke("git.log", { path, limit: 1, author: "eve@" })
        assert.strictEqual(few.total_returned, 1)
        assert.strictEqual((yield* world.invoke("git.log", { path, author: "somebody" })).total_returned, 0)
      }),
    errors: {
      ...inRepository("git.log"),
      BranchNotFound: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.log", { path, branch: "no-such" }), { path, branch: "no-such" })
      }
    },
    limits: { "gives 500 commits at most": depthOf(501), "gives at least one": depthOf(0) }
  },
  "git.branch": {
    success: (world) =>
      Effect.gen(function*() {
        const { git: run, path } = repository(world)
        yield* world.invoke("git.branch", { path, action: "create", name: "topic" })
        const switched = yield* world.invoke("git.branch", { path, action: "switch", name: "topic" })
        expect(switched).toMatchObject({
          branches: [
            { name: "main", is_current: false, is_remote: false },
            { name: "topic", is_current: true, is_remote: false }
          ],
          current_branch: "topic"
        })
        assert.strictEqual(run("branch", "--show-current"), "topic")
        const left = yield* world.invoke("git.branch", { path, action: "delete", name: "main" })
        assert.deepStrictEqual(left.branches.map(({ name }) => name), ["topic"])
      }),
    errors: {
      ...inRepository("git.branch", list),
      BranchNotFound: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.branch", { path, action: "switch", name: "no-such" }), {
          path,
          branch: "no-such"
        })
      },
      BranchAlreadyExists: (world) => {
        const { path } = repository(world)
        return failing(world.invoke("git.branch", { path, action: "create", name: "main" }), { path, branch: "main" })
      },
      InvalidAction: (world) => {
        const { path } = repository(world)
        return failing(world.invokeDynamic("git.branch", { path, action: "burn" }), {
          _tag: "InvalidInput",
          field: "action"
        })
      }
    }
  }
}
