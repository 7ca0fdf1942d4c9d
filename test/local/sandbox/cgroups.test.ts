import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { find, prepared } from "../../../src/local/sandbox/cgroups/ControlGroups.js"
import { placesOf } from "../../../src/local/sandbox/cgroups/places.js"
import { settingsOf } from "../../../src/local/sandbox/cgroups/settings.js"
import { startOf } from "../../../src/local/sandbox/processes.js"
import { defaultLimits } from "../../../src/local/sandbox/Sandbox.js"
import { until } from "../../support/deadline.js"
import {
  type Answer,
  inBubblewrap,
  make,
  runningWith,
  sandboxes,
  withoutBubblewrap
} from "../capabilities/process/support.js"
import { directories, groups, groupsOf, holds, inControlGroups } from "./controlGroups.js"

let words = 0
const uniqueSeconds = () => `${5400 + ++words}.${process.pid}`

describe.each(holds("memory", "pids", "cpu") ? sandboxes : [])("control groups in $sandbox", ({ sandbox }) => {
  const exceeding = (input: Answer) =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const failure = yield* Effect.flip(invoke("process.run", { timeout: 20, ...input }))
      yield* until("the group to be gone", Effect.sync(() => groups().length === 0))
      return failure
    })

  it.scopedLive("count what hides from its session", () =>
    Effect.gen(function*() {
      const seconds = uniqueSeconds()
      const failure = yield* exceeding({
        command: `for one in $(seq 150); do setsid env -i sleep ${seconds} & done; wait`
      })
      assert.deepInclude(failure, { _tag: "ResourceLimitExceeded", resource: "processes", limit: 100 })
      assert.deepStrictEqual(runningWith(seconds), [])
    }), 30_000)

  it.scopedLive("count the memory of what hides from its session", () =>
    Effect.gen(function*() {
      const eater = "setsid env -i perl -e 'my $kept = \"x\" x 60000000; sleep 20'"
      const memory_limit = 150 * 1024 * 1024
      const failure = yield* exceeding({ command: `${eater} & ${eater} & ${eater} & wait`, memory_limit })
      assert.deepInclude(failure, { _tag: "ResourceLimitExceeded", resource: "memory", limit: memory_limit })
    }), 30_000)

  it.scopedLive("hold processor time as a rate", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const { process_id } = yield* invoke("process.run", {
        command: "while :; do :; done",
        cpu_limit: 0.02,
        background: true
      })
      const isSlowed = () =>
        groups().map((group) => join(group, "cpu.stat")).filter((file) => fs.existsSync(file)).some((file) =>
          /^nr_throttled [1-9]/m.test(fs.readFileSync(file, "utf8"))
        )
      yield* until("the program to be slowed", Effect.sync(isSlowed))
      yield* invoke("process.kill", { process_id, signal: "SIGKILL" })
    }))

  it.scopedLive("leave nothing behind that hid from its session, and no group", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const seconds = uniqueSeconds()
      const { process_id } = yield* invoke("process.run", {
        command: `setsid env -i sleep ${seconds} & sleep 60`,
        background: true
      })
      // Its arguments cannot be read at the moment in which it becomes another program.
      let pid: string | undefined
      yield* until("its start", Effect.sync(() => (pid = runningWith(`sleep\0${seconds}`)[0]) !== undefined))
      const held = groupsOf(String(pid))
      assert.isNotEmpty(held)
      assert.deepInclude(yield* invoke("process.kill", { process_id }), { state: "killed" })
      yield* until("its end", Effect.sync(() => runningWith(`sleep\0${seconds}`).length === 0))
      yield* until("the group to be gone", Effect.sync(() => !held.some((path) => fs.existsSync(path))))
    }))
})

describe.skipIf(withoutBubblewrap !== undefined || !holds("memory"))(
  inBubblewrap(inControlGroups("the memory of a program", "memory")),
  () => {
    it.scopedLive("includes the files that it keeps in memory", () =>
      Effect.gen(function*() {
        const { invoke } = yield* make()
        const memory_limit = 48 * 1024 * 1024
        const failure = yield* Effect.flip(invoke("process.run", {
          command: "for one in /tmp /dev/shm; do head -c 40000000 /dev/zero > $one/zeros; done; sleep 20",
          memory_limit
        }))
        assert.deepInclude(failure, { _tag: "ResourceLimitExceeded", resource: "memory", limit: memory_limit })
      }), 30_000)
  }
)

describe.skipIf(!holds("pids"))(inControlGroups("groups of gateways that were killed", "pids"), () => {
  const made = (name: string) =>
    Effect.acquireRelease(
      Effect.sync(() => directories.map((directory) => join(directory, name))),
      (paths) => Effect.sync(() => paths.forEach((path) => fs.existsSync(path) && fs.rmdirSync(path)))
    ).pipe(Effect.tap((paths) =>
      Effect.sync(() => {
        for (const path of paths) fs.mkdirSync(path)
      })
    ))

  const running = Effect.acquireRelease(
    Effect.sync(() => spawn("sleep", ["60"], { stdio: "ignore" })),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )

  const space = /\d+/.exec(fs.readlinkSync("/proc/self/ns/pid"))?.[0]

  // Gateways of other tests look too, and take what is nobody's: until it is complete it is a living process's.
  const madeBy = ({ pid = 0 }: ChildProcess) => made(`kruxos-${space}-${pid}-${startOf(pid)}-0123456789ac`)

  const gone = (owner: ChildProcess) =>
    Effect.zipRight(
      Effect.sync(() => owner.kill("SIGKILL")),
      until("the owner's end", Effect.sync(() => owner.signalCode !== null))
    ).pipe(Effect.withClock(Clock.make()))

  it.scoped("are taken away whatever the clock says", () =>
    Effect.gen(function*() {
      const owner = yield* running
      const left = yield* madeBy(owner)
      // A group that holds another goes only when that has gone.
      const held = left.map((path) => join(path, "held"))
      for (const path of held) fs.mkdirSync(path)
      yield* gone(owner)
      const giveUp = setTimeout(() => held.forEach((path) => fs.rmdirSync(path)), 100)
      yield* find.pipe(Effect.ensuring(Effect.sync(() => clearTimeout(giveUp))))
      assert.deepStrictEqual(left.filter((path) => fs.existsSync(path)), [])
    }))

  it.scopedLive("are taken away with what is in them, and no others", () =>
    Effect.gen(function*() {
      const owner = yield* running
      const left = yield* madeBy(owner)
      const others = yield* made(`kruxos-${space}-${process.ppid}-${startOf(process.ppid)}-0123456789ab`)
      const elsewhere = yield* made(`kruxos-1-${owner.pid}-1-0123456789ab`)
      const child = yield* running
      for (const path of left) fs.writeFileSync(join(path, "cgroup.procs"), String(child.pid))
      yield* gone(owner)
      yield* find
      assert.deepStrictEqual(left.filter((path) => fs.existsSync(path)), [])
      assert.deepStrictEqual([...others, ...elsewhere].filter((path) => !fs.existsSync(path)), [])
      yield* until("its end", Effect.sync(() => child.signalCode === "SIGKILL"))
    }))
})

describe("a group of the second version", () => {
  // Plain files in the place of the kernel's.
  const group = (files: { readonly [name: string]: string }) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const directory = fs.mkdtempSync(join(tmpdir(), "kruxos-cgroup-"))
        for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(directory, name), text)
        return directory
      }),
      (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
    )
  const offered = { "cgroup.controllers": "cpuset cpu io memory pids\n" }
  const controllers = ["cpu", "memory", "pids"] as const
  const place = (directory: string) => ({ version: 2, directory, controllers }) as const

  it.scoped("is used for what it hands on", () =>
    Effect.gen(function*() {
      const own = `${process.pid}\n`
      const all = yield* group({ ...offered, "cgroup.subtree_control": "cpu memory pids\n", "cgroup.procs": own })
      assert.deepStrictEqual(prepared(place(all)), [place(all)])
      assert.isFalse(fs.existsSync(join(all, "kruxos-gateway")))
      const some = yield* group({ ...offered, "cgroup.subtree_control": "memory pids\n", "cgroup.procs": `1\n${own}` })
      fs.chmodSync(join(some, "cgroup.subtree_control"), 0o400)
      assert.deepStrictEqual(prepared(place(some)).map(({ directory }) => directory), [some])
      const none = yield* group({ "cgroup.controllers": "", "cgroup.subtree_control": "", "cgroup.procs": own })
      assert.deepStrictEqual(prepared(place(none)), [])
    }))

  it.scoped("is left by the gateway where it is alone in it, and by nobody else", () =>
    Effect.gen(function*() {
      const files = { ...offered, "cgroup.subtree_control": "" }
      const alone = yield* group({ ...files, "cgroup.procs": `${process.pid}\n` })
      prepared(place(alone))
      assert.isTrue(fs.existsSync(join(alone, "kruxos-gateway")))
      const withOthers = yield* group({ ...files, "cgroup.procs": `${process.pid}\n1\n` })
      assert.deepStrictEqual(prepared(place(withOthers)), [])
      assert.isFalse(fs.existsSync(join(withOthers, "kruxos-gateway")))
    }))
})

describe("the places of control groups", () => {
  it("are the gateway's own group of the second version", () => {
    const mounts = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
    const controllers = ["cpu", "memory", "pids"] as const
    const of = (path: string) => placesOf(`0::${path}\n`, mounts)
    assert.deepStrictEqual(of("/system.slice/kruxos.service"), [
      { version: 2, directory: "/sys/fs/cgroup/system.slice/kruxos.service", controllers }
    ])
    // Where it has moved to before.
    assert.deepStrictEqual(of("/a/kruxos-gateway"), [{ version: 2, directory: "/sys/fs/cgroup/a", controllers }])
    assert.deepStrictEqual(of("/"), [{ version: 2, directory: "/sys/fs/cgroup", controllers }])
  })

  it("are its own of each controller of the first version, as they are mounted", () => {
    const membership = "9:name=systemd:/a\n8:pids:/docker/x\n4:memory:/docker/x/a:b\n2:cpu,cpuacct:/other\n0::/\n"
    const mounts = [
      "35 31 0:32 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
      "39 31 0:36 /docker/x /sys/fs/cgroup/of\\040pids rw - cgroup cgroup rw,pids",
      "32 31 0:29 /docker/x /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct",
      "36 31 0:33 / /tmp rw - tmpfs tmpfs rw"
    ].join("\n")
    assert.deepStrictEqual(placesOf(membership, mounts), [
      { version: 1, directory: "/sys/fs/cgroup/memory/a:b", controllers: ["memory"] },
      { version: 1, directory: "/sys/fs/cgroup/of pids", controllers: ["pids"] }
    ])
    assert.deepStrictEqual(placesOf("", ""), [])
  })

  it("hold what is asked for, in either version's words", () => {
    const words = (version: 1 | 2, controller: "cpu" | "memory" | "pids", limits = {}) =>
      settingsOf(version, controller, { ...defaultLimits, ...limits }, 3).map(({ file, value }) => `${file} ${value}`)
    assert.deepStrictEqual(words(2, "cpu"), ["cpu.max 50000 100000"])
    assert.deepStrictEqual(words(2, "cpu", { cpu: 0.002 }), ["cpu.max 2000 1000000"])
    assert.deepStrictEqual(words(1, "cpu", { cpu: 2 }), ["cpu.cfs_period_us 100000", "cpu.cfs_quota_us 200000"])
    assert.deepStrictEqual(words(2, "cpu", { cpu: 1e30 }), ["cpu.max 102400000 100000"])
    assert.deepStrictEqual(words(2, "memory"), [
      "memory.max 536870912",
      "memory.swap.max 0",
      "memory.oom.group 1"
    ])
    assert.deepStrictEqual(words(1, "memory", { memoryBytes: 1e300 })[0], `memory.limit_in_bytes ${2 ** 60}`)
    assert.deepStrictEqual(words(2, "pids"), ["pids.max 103"])
  })
})
