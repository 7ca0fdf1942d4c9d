import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { SandboxChoice } from "../../../../src/local/sandbox/Sandbox.js"
import { secret } from "../../workspace/support.js"
import { author, world } from "./support.js"

const later = { timeout: 60_000 }

const choices: ReadonlyArray<SandboxChoice> = ["bubblewrap", "none"]

/** A program that leaves a trace, and the trace. */
const trap = (base: string) => {
  const trace = join(base, "trace")
  const program = join(base, "trap.sh")
  fs.writeFileSync(program, `#!/bin/sh\necho "$0 $@" >> '${trace}'\ncat\nexit 0\n`, { mode: 0o755 })
  return { program, wasRun: () => fs.existsSync(trace) ? fs.readFileSync(trace, "utf8") : "" }
}

describe.each(choices)("a hostile repository, %s", (choice) => {
  it.scopedLive("runs nothing that its configuration, its hooks and its attributes name", () =>
    Effect.gen(function*() {
      const { base, git, host, invoke, repository, write } = yield* world([], choice)
      const { program, wasRun } = trap(base)
      repository("r", { "a.txt": "one\n", "b.txt": "b\n" })
      repository("included")
      for (
        const [name, value] of [
          ["core.fsmonitor", program],
          ["core.hooksPath", base],
          ["core.sshCommand", program],
          ["core.gitProxy", program],
          ["core.pager", program],
          ["core.editor", program],
          ["core.askPass", program],
          ["core.alternateRefsCommand", program],
          ["core.attributesFile", join(base, "attributes")],
          ["core.worktree", base],
          ["credential.helper", `!${program}`],
          ["diff.external", program],
          ["diff.trap.textconv", program],
          ["diff.trap.command", program],
          ["filter.trap.clean", program],
          ["filter.trap.smudge", program],
          ["filter.trap.process", program],
          ["filter.trap.required", "true"],
          ["merge.trap.driver", `${program} %A`],
          ["commit.gpgSign", "true"],
          ["gpg.program", program],
          ["sequence.editor", program],
          ["log.showSignature", "true"],
          ["interactive.diffFilter", program],
          ["pager.log", program],
          ["pager.diff", program],
          ["alias.status", `!${program}`],
          ["trailer.x.command", program],
          ["uploadpack.packObjectsHook", program],
          ["remote.origin.url", "/workspace/included"],
          ["remote.origin.uploadpack", program],
          ["remote.origin.receivepack", program],
          ["remote.origin.vcs", "ext"],
          ["remote.origin.proxy", "http://127.0.0.1:1"],
          ["url./elsewhere.insteadOf", "/workspace/included"],
          ["include.path", join(base, "included.config")],
          ["gc.recentObjectsHook", program]
        ] as const
      ) {
        execFileSync("git", ["config", "--file", host("r/.git/config"), name, value])
      }
      fs.writeFileSync(join(base, "included.config"), `[core]\n\tfsmonitor = ${program}\n`)
      fs.writeFileSync(join(base, "attributes"), "* filter=trap\n")
      for (
        const hook of [
          "pre-commit",
          "prepare-commit-msg",
          "commit-msg",
          "post-commit",
          "post-checkout",
          "post-merge",
          "pre-merge-commit",
          "pre-push",
          "reference-transaction",
          "post-index-change",
          "pre-auto-gc",
          "post-rewrite"
        ]
      ) {
        fs.mkdirSync(host("r/.git/hooks"), { recursive: true })
        fs.copyFileSync(program, host(`r/.git/hooks/${hook}`))
        fs.copyFileSync(program, join(base, hook))
      }
      write("r/.gitattributes", "* filter=trap diff=trap merge=trap\n")
      write("r/.git/info/attributes", "* filter=trap diff=trap merge=trap\n")
      write("r/a.txt", "changed\n")
      const path = "r"
      yield* invoke("git.status", { path })
      yield* invoke("git.diff", { path })
      yield* invoke("git.commit", { path, message: "one more", ...author })
      assert.strictEqual(git("r", "--git-dir", host("r/.git"), "cat-file", "-p", "HEAD:a.txt"), "changed")
      yield* invoke("git.log", { path })
      yield* invoke("git.branch", { path, action: "create", name: "side", start_point: "HEAD~1" })
      yield* invoke("git.branch", { path, action: "switch", name: "side" })
      yield* invoke("git.branch", { path, action: "switch", name: "main" })
      yield* invoke("git.branch", { path, action: "delete", name: "side" })
      // Its pull and its push reach what the address says and nothing else; unrelated histories are not merged.
      yield* Effect.either(invoke("git.pull", { path }))
      yield* invoke("git.push", { path, branch: "main" }).pipe(Effect.flip)
      yield* invoke("git.clone", { url: "/workspace/r", path: "copy" })
      expect(yield* invoke("git.status", { path: "copy" })).toMatchObject({ state: "clean" })
      assert.strictEqual(wasRun(), "")
      // Who is less careful is caught.
      execFileSync("git", ["config", "--file", host("r/.git/config"), "--unset", "core.worktree"])
      try {
        git("r", "status")
      } catch {
        // The trap is no filter that git could go on with.
      }
      assert.include(wasRun(), program)
    }), later)

  it.scopedLive("whose hooks wait at the other end of a push: none is run", () =>
    Effect.gen(function*() {
      const { base, git, host, invoke, repository, write } = yield* world([], choice)
      const { program, wasRun } = trap(base)
      repository("r")
      git(".", "clone", "--quiet", "--bare", "r", "remote.git")
      for (
        const hook of ["pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"]
      ) {
        fs.mkdirSync(host("remote.git/hooks"), { recursive: true })
        fs.copyFileSync(program, host(`remote.git/hooks/${hook}`))
        fs.copyFileSync(program, join(base, hook))
      }
      execFileSync("git", ["config", "--file", host("remote.git/config"), "core.hooksPath", base])
      execFileSync("git", ["config", "--file", host("remote.git/config"), "core.fsmonitor", program])
      execFileSync("git", ["config", "--file", host("remote.git/config"), "uploadpack.packObjectsHook", program])
      yield* invoke("git.clone", { url: "file:///workspace/remote.git", path: "work" })
      write("work/a.txt", "two\n")
      yield* invoke("git.commit", { path: "work", message: "two", ...author })
      expect(yield* invoke("git.push", { path: "work" })).toMatchObject({ pushed_refs: ["refs/heads/main"] })
      expect(yield* invoke("git.pull", { path: "work" })).toMatchObject({ up_to_date: true })
      assert.strictEqual(wasRun(), "")
    }), later)

  it.scopedLive("does not lead git out of the workspace", () =>
    Effect.gen(function*() {
      const { base, failing, git, host, outside, repository, root } = yield* world([], choice)
      fs.mkdirSync(join(base, "elsewhere"))
      execFileSync("cp", ["-r", (repository("model"), host("model")), join(base, "elsewhere", "r")])
      const real = join(base, "elsewhere", "r", ".git")
      const cases: ReadonlyArray<readonly [string, string, (name: string) => void]> = [
        ["symlinked .git", "PathOutOfScope", (name) => {
          fs.mkdirSync(host(name))
          fs.symlinkSync(real, host(`${name}/.git`))
        }],
        [".git file that points outside", "PathOutOfScope", (name) => {
          fs.mkdirSync(host(name))
          fs.writeFileSync(host(`${name}/.git`), `gitdir: ${real}\n`)
        }],
        [".git file that points inside", "NotARepository", (name) => {
          fs.mkdirSync(host(name))
          fs.writeFileSync(host(`${name}/.git`), `gitdir: ${host("model/.git")}\n`)
        }],
        ["objects outside", "PathOutOfScope", (name) => {
          repository(name)
          fs.rmSync(host(`${name}/.git/objects`), { recursive: true })
          fs.symlinkSync(join(real, "objects"), host(`${name}/.git/objects`))
        }],
        ["alternates outside", "PathOutOfScope", (name) => {
          repository(name)
          fs.mkdirSync(host(`${name}/.git/objects/info`), { recursive: true })
          fs.writeFileSync(host(`${name}/.git/objects/info/alternates`), `${join(real, "objects")}\n`)
        }],
        ["alternates of alternates outside", "PathOutOfScope", (name) => {
          repository(name)
          repository(`${name}-2`)
          fs.mkdirSync(host(`${name}-2/.git/objects/info`), { recursive: true })
          fs.writeFileSync(host(`${name}/.git/objects/info/alternates`), `../../../${name}-2/.git/objects\n`)
          fs.writeFileSync(host(`${name}-2/.git/objects/info/alternates`), `${join(real, "objects")}\n`)
        }],
        ["an index that is a link", "PathOutOfScope", (name) => {
          repository(name)
          fs.rmSync(host(`${name}/.git/index`))
          fs.symlinkSync(join(outside, "index"), host(`${name}/.git/index`))
        }],
        ["a reflog that is a link", "PathOutOfScope", (name) => {
          repository(name)
          fs.rmSync(host(`${name}/.git/logs/HEAD`))
          fs.symlinkSync(join(outside, "log"), host(`${name}/.git/logs/HEAD`))
        }],
        ["a branch that is a link", "PathOutOfScope", (name) => {
          repository(name)
          fs.symlinkSync(join(outside, "secret.txt"), host(`${name}/.git/refs/heads/x`))
        }],
        ["a repository in its .git", "NotARepository", (name) => {
          repository(name)
          fs.writeFileSync(host(`${name}/.git/.git`), `gitdir: ${real}\n`)
        }],
        ["a pipe in its .git", "NotARepository", (name) => {
          repository(name)
          fs.rmSync(host(`${name}/.git/index`))
          execFileSync("mkfifo", [host(`${name}/.git/index`)])
        }],
        ["a form nobody knows", "InvalidInput", (name) => {
          repository(name)
          git(name, "config", "core.repositoryformatversion", "9")
        }]
      ]
      for (const [index, [what, expected, make]] of cases.entries()) {
        const path = `case-${index}`
        make(path)
        for (
          const error of [
            yield* failing("git.status", { path }),
            yield* failing("git.commit", { path, message: "m", ...author }),
            yield* failing("git.branch", { path, action: "create", name: "n" })
          ]
        ) {
          assert.strictEqual(error._tag, expected, what)
          assert.notInclude(JSON.stringify(error), root)
          assert.notInclude(JSON.stringify(error), secret)
        }
        assert.strictEqual(
          (yield* failing("git.clone", { url: path, path: "copy" }))._tag,
          expected === "NotARepository"
            ? "CloneFailed"
            : expected,
          what
        )
      }
      assert.deepStrictEqual(fs.readdirSync(outside).sort(), ["deep", "secret.txt"])
      assert.isFalse(fs.existsSync(host("copy")))
    }), later)

  it.scopedLive("whose links lead outside gives away nothing of what is there", () =>
    Effect.gen(function*() {
      const { git, host, invoke, outside, repository } = yield* world([], choice)
      repository("r")
      fs.symlinkSync(outside, host("r/out"))
      fs.symlinkSync(join(outside, "secret.txt"), host("r/link"))
      yield* invoke("git.commit", { path: "r", message: "links", ...author })
      assert.strictEqual(git("r", "cat-file", "-p", "HEAD:link"), join(outside, "secret.txt"))
      assert.notInclude(git("r", "ls-tree", "-r", "HEAD"), "out/")
      const error = yield* invoke("git.commit", { path: "r", message: "m", ...author, files: ["out/secret.txt"] }).pipe(
        Effect.flip
      )
      assert.include(["CommitFailed", "InvalidInput"], error._tag)
    }), later)

  it.scopedLive("has no submodule that git would go into", () =>
    Effect.gen(function*() {
      const { base, git, host, invoke, repository } = yield* world([], choice)
      const { program, wasRun } = trap(base)
      repository("inner")
      repository("r")
      git("r", "submodule", "--quiet", "add", host("inner"), "inner")
      git("r", "commit", "--quiet", "--message=submodule")
      const settings = host("r/.git/modules/inner/config")
      execFileSync("git", ["config", "--file", settings, "core.fsmonitor", program])
      fs.writeFileSync(host("r/inner/a.txt"), "changed\n")
      expect(yield* invoke("git.status", { path: "r" })).toMatchObject({ state: "clean" })
      yield* invoke("git.diff", { path: "r" })
      yield* invoke("git.clone", { url: "/workspace/r", path: "copy" })
      assert.deepStrictEqual(fs.readdirSync(host("copy/inner")), [])
      yield* invoke("git.branch", { path: "r", action: "create", name: "x" })
      yield* invoke("git.branch", { path: "r", action: "switch", name: "x" })
      assert.strictEqual(wasRun(), "")
    }), later)
})

describe.each(choices)("arguments that look like options, %s", (choice) => {
  it.scopedLive("are refused before git sees them", () =>
    Effect.gen(function*() {
      const { base, failing, repository } = yield* world([], choice)
      const { program, wasRun } = trap(base)
      repository("r")
      const option = `--upload-pack=${program}`
      const inputs: ReadonlyArray<readonly [Parameters<typeof failing>[0], { readonly [name: string]: unknown }]> = [
        ["git.clone", { url: option, path: "copy" }],
        ["git.clone", { url: "r", path: "copy", branch: option }],
        ["git.clone", { url: `ext::${program}`, path: "copy" }],
        ["git.clone", { url: "ssh://localhost/r", path: "copy" }],
        ["git.clone", { url: "-oProxyCommand=x:r", path: "copy" }],
        ["git.clone", { url: "git://localhost/r", path: "copy" }],
        ["git.clone", { url: "localhost:r", path: "copy" }],
        ["git.clone", { url: "file://host/workspace/r", path: "copy" }],
        ["git.clone", { url: "a\nb", path: "copy" }],
        ["git.pull", { path: "r", remote: option }],
        ["git.pull", { path: "r", branch: option }],
        ["git.push", { path: "r", remote: option }],
        ["git.push", { path: "r", branch: "-x" }],
        ["git.push", { path: "r", branch: "+main" }],
        ["git.push", { path: "r", branch: "main:other" }],
        ["git.branch", { path: "r", action: "create", name: "-x" }],
        ["git.branch", { path: "r", action: "switch", name: "-" }],
        ["git.branch", { path: "r", action: "switch", name: "@{-1}" }],
        ["git.log", { path: "r", branch: "--output=x" }],
        ["git.diff", { path: "r", commit: "--no-index" }]
      ]
      for (const [name, input] of inputs) {
        const { _tag } = yield* failing(name, input)
        assert.include(["CloneFailed", "InvalidInput", "PullFailed", "PushFailed"], _tag, JSON.stringify(input))
      }
      assert.strictEqual(wasRun(), "")
    }), later)

  it.scopedLive("a directory may begin with a dash, and hold what a shell would read", () =>
    Effect.gen(function*() {
      const { base, invoke, repository } = yield* world([], choice)
      const { program, wasRun } = trap(base)
      const odd = `-x $(${program.replaceAll("/", "_")}); 'quo"te'`
      repository(odd)
      yield* invoke("git.clone", { url: `/workspace/${odd}`, path: "--bare `id`" })
      expect(yield* invoke("git.status", { path: "--bare `id`" })).toMatchObject({ branch: "main", state: "clean" })
      expect(yield* invoke("git.pull", { path: "--bare `id`" })).toMatchObject({ up_to_date: true })
      assert.strictEqual(wasRun(), "")
    }), later)
})
