import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fs from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import * as Egress from "../../../src/local/egress/Egress.js"
import * as HostPattern from "../../../src/local/egress/HostPattern.js"
import { kernelCounts } from "../../../src/local/sandbox/processLimit.js"
import { until } from "../../support/deadline.js"
import {
  type Answer,
  inBubblewrap,
  make,
  runningWith,
  sandboxes,
  text,
  withoutBubblewrap,
  type World
} from "../capabilities/process/support.js"

const outputOf = ({ invoke }: World, command: string) =>
  Effect.map(invoke("process.run", { command }), (answer) => text(answer, "stdout") + text(answer, "stderr"))

const egressOf = (...patterns: ReadonlyArray<string>) =>
  Egress.make([{ rule: "test", patterns: patterns.map((text) => Either.getOrThrow(HostPattern.parse(text))) }])

// A server of this machine that anybody may connect to; gives its port.
const listening = Effect.acquireRelease(
  Effect.async<readonly [number, () => void]>((resume) => {
    const server = createServer((socket) => socket.end("reached\n"))
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed([port, () => server.close()]))
    })
  }),
  ([, close]) => Effect.sync(close)
)

describe.skipIf(withoutBubblewrap !== undefined)(inBubblewrap("the sandbox"), () => {
  it.scopedLive("shows the workspace and the system's programs, and nothing else of the host", () =>
    Effect.gen(function*() {
      const world = yield* make()
      fs.writeFileSync(join(world.folder, "secret.txt"), "of the host")
      fs.symlinkSync(join(world.folder, "secret.txt"), join(world.workspace, "link"))
      expect(yield* outputOf(world, "pwd; ls /")).toMatch(
        /^\/workspace\n(?!.*(home|root|var|run|srv|mnt)).*workspace\n$/s
      )
      expect(yield* outputOf(world, `cat link; cat ${world.folder}/secret.txt; ls ${world.folder}`)).not.toContain(
        "of the host"
      )
      expect(yield* outputOf(world, "cat /etc/passwd; ls -a /etc /root /home /var /run /tmp")).not.toContain(
        world.folder
      )
      expect(yield* outputOf(world, "cat /etc/shadow /etc/hostname")).toMatch(/No such file.*No such file/s)
      expect(yield* outputOf(world, "cat /etc/passwd")).toContain("agent:x:")
    }))

  it.scopedLive("lets nothing be written but the workspace and what is in memory", () =>
    Effect.gen(function*() {
      const world = yield* make()
      const touched = yield* outputOf(
        world,
        "for d in / /usr /usr/bin /etc /dev /proc/sys/kernel /tmp /dev/shm /workspace; do touch $d/kruxos-test 2>/dev/null && echo $d; done"
      )
      expect(touched).toBe("/tmp\n/dev/shm\n/workspace\n")
      expect(fs.existsSync("/tmp/kruxos-test")).toBe(false)
      expect(yield* outputOf(world, "ls /tmp")).toBe("")
      const filled = yield* outputOf(world, "head -c 300000000 /dev/zero > /tmp/zeros 2>/dev/null; wc -c < /tmp/zeros")
      expect(Number(filled)).toBe(256 * 1024 * 1024)
    }))

  it.scopedLive("never shows the gateway's data, nor what is deleted", () =>
    Effect.gen(function*() {
      const world = yield* make({ data: "workspace/.kruxos" })
      fs.writeFileSync(join(world.workspace, ".kruxos/gateway.db"), "of the gateway")
      fs.mkdirSync(join(world.workspace, ".kruxos-trash"))
      fs.writeFileSync(join(world.workspace, ".kruxos-trash/old"), "of the trash")
      const seen = yield* outputOf(
        world,
        "cat .kruxos/* .kruxos-trash/*; ls -A .kruxos .kruxos-trash; touch .kruxos/x; rm -rf .kruxos .kruxos-trash; mv .kruxos y; "
          + "chmod 777 .kruxos; cat .kruxos/gateway.db; umount .kruxos; cat /proc/1/root/workspace/.kruxos/*; grep -r 'of the' . 2>/dev/null"
      )
      expect(seen).not.toMatch(/of the (gateway|trash)/)
      expect(fs.readdirSync(join(world.workspace, ".kruxos"))).toEqual(["gateway.db"])
      expect(fs.readdirSync(join(world.workspace, ".kruxos-trash"))).toEqual(["old"])
    }))

  it.scopedLive("without one, refuses to run where it would show them, and to run at all unless it was asked for", () =>
    Effect.gen(function*() {
      const world = yield* make({ data: "workspace/.kruxos", sandbox: "none" })
      const refused = yield* Effect.flip(world.invoke("process.run", { command: "true" }))
      expect(refused).toMatchObject({ _tag: "SpawnFailed" })
      expect(refused.message).toContain("--data")
      const path = process.env["PATH"]
      process.env["PATH"] = "/nowhere"
      const missing = yield* Effect.flatMap(
        make(),
        ({ invoke }) => Effect.flip(invoke("process.run", { command: "true" }))
      ).pipe(
        Effect.ensuring(Effect.sync(() => {
          process.env["PATH"] = path
        }))
      )
      expect(missing).toMatchObject({ _tag: "SpawnFailed" })
      expect(missing.message).toMatch(/not installed.*--sandbox none/s)
    }))

  it.scopedLive("gives no privileges, no namespaces, no terminal and no processes of the host", () =>
    Effect.gen(function*() {
      const world = yield* make()
      const status = yield* outputOf(world, "cat /proc/self/status")
      for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) expect(status).toMatch(new RegExp(`Cap${set}:\\s+0+\\n`))
      expect(status).toMatch(/NoNewPrivs:\s+1\n/)
      expect(yield* outputOf(world, "unshare -U true; echo $?")).not.toMatch(/^0$/m)
      expect(
        yield* outputOf(
          world,
          "for c in 'unshare -m true' 'mount -t tmpfs x /workspace' 'chroot / true'; do $c && echo done; done"
        )
      )
        .not.toMatch(/^done$/m)
      expect(yield* outputOf(world, "for p in /proc/[0-9]*; do cat $p/cmdline; done | tr '\\0' ' '")).not.toContain(
        "vitest"
      )
      expect(yield* outputOf(world, `kill -0 ${process.pid}; ls /proc/self/fd`)).toMatch(
        /No such process|not permitted/
      )
      expect(
        yield* outputOf(world, "ls -l /proc/self/fd | grep -v -e /dev/null -e pipe: -e socket: -e /proc/ -e ^total")
      )
        .toBe("")
      expect(yield* outputOf(world, "(echo x > /dev/tty) 2>&1")).toMatch(/dev\/tty/)
    }))

  it.scopedLive("has no network, unless the policy names every host", () =>
    Effect.gen(function*() {
      const [port] = yield* listening
      const connect = `bash -c 'exec 9<>/dev/tcp/127.0.0.1/${port} && cat <&9'`
      for (const egress of [Egress.nowhere, egressOf("127.0.0.1"), egressOf("*:443"), egressOf("*.com")]) {
        expect(yield* Effect.flatMap(make({ egress }), (world) => outputOf(world, connect))).not.toContain("reached")
      }
      const two = Egress.make([
        { rule: "one", patterns: [Either.getOrThrow(HostPattern.parse("*"))] },
        { rule: "two", patterns: [Either.getOrThrow(HostPattern.parse("a.com"))] }
      ])
      expect(yield* Effect.flatMap(make({ egress: two }), (world) => outputOf(world, connect))).not.toContain("reached")
      expect(yield* Effect.flatMap(make({ egress: egressOf("*") }), (world) => outputOf(world, connect))).toBe(
        "reached\n"
      )
    }))

  it.scopedLive("does not follow a workspace that was moved away to where a link leads", () =>
    Effect.gen(function*() {
      const world = yield* make()
      fs.renameSync(world.workspace, join(world.folder, "moved"))
      fs.symlinkSync("/", world.workspace)
      expect(yield* Effect.flip(world.invoke("process.run", { command: "ls" }))).toMatchObject({ _tag: "SpawnFailed" })
    }))
})

const held = [true, false].flatMap((controlGroups) => sandboxes.map(({ sandbox }) => ({ sandbox, controlGroups })))

describe.each(process.platform === "linux" ? held : [])("the limits in $sandbox (control groups: $controlGroups)", ({
  controlGroups,
  sandbox
}) => {
  const exceeding = (input: Answer) =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox, controlGroups })
      const failure = yield* Effect.flip(invoke("process.run", { timeout: 20, ...input }))
      const { processes } = yield* invoke("process.list", {})
      expect(processes).toMatchObject([{ state: "killed", exit_code: null }])
      return failure
    })

  it.scopedLive("stop a program that starts too many others", () =>
    Effect.gen(function*() {
      const seconds = `20.${process.pid}`
      const failure = yield* exceeding({ command: `for one in $(seq 150); do sleep ${seconds} & done; wait` })
      expect(failure).toMatchObject({ _tag: "ResourceLimitExceeded", resource: "processes", limit: 100 })
      yield* until("its end", Effect.sync(() => runningWith(seconds).length === 0))
    }), 30_000)

  // Root's are found and killed one by one, which the whole machine has to wait for.
  const isHeld = kernelCounts() && !controlGroups

  it.scopedLive.skipIf(!isHeld)(
    `stop a fork bomb${isHeld ? "" : " (skipped: the kernel does not count root's)"}`,
    () =>
      Effect.gen(function*() {
        const seconds = `20.${process.pid}`
        const failure = yield* exceeding({ command: `f() { f | f & }; f; sleep ${seconds}` })
        assert.deepInclude(failure, { _tag: "ResourceLimitExceeded", resource: "processes", limit: 100 })
        yield* until("its end", Effect.sync(() => runningWith(seconds).length === 0))
      }),
    30_000
  )

  // With control groups it does not get it in the first place.
  it.scopedLive.skipIf(controlGroups)(
    "stop a program that takes too much processor time",
    () =>
      Effect.gen(function*() {
        const input = { command: "while :; do :; done", timeout: 20, cpu_limit: 0.05 }
        const failure = yield* exceeding(input)
        assert.deepInclude(failure, { _tag: "ResourceLimitExceeded", resource: "cpu", limit: 0.05 })
      }),
    30_000
  )

  it.scopedLive(
    "stop a program whose children take too much memory together, and let none take it alone",
    () =>
      Effect.gen(function*() {
        const eater =
          "node -e 'const kept = []; for (let i = 0; i < 8; i++) kept.push(Buffer.alloc(1e7, 1)); setTimeout(() => kept, 9000)'"
        const memory_limit = 200 * 1024 * 1024
        const failure = yield* exceeding({ command: `${eater} & ${eater} & ${eater} & ${eater} & wait`, memory_limit })
        expect(failure).toMatchObject({ _tag: "ResourceLimitExceeded", resource: "memory", limit: memory_limit })
        const { invoke } = yield* make({ sandbox, controlGroups })
        const alone = yield* invoke("process.run", {
          command: "bash",
          args: ["-c", "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}"],
          memory_limit: 64 * 1024 * 1024
        }).pipe(Effect.either)
        if (Either.isRight(alone)) expect(alone.right["stdout"]).not.toContain("300000000")
        else expect(alone.left).toMatchObject({ _tag: "ResourceLimitExceeded", resource: "memory" })
      }),
    40_000
  )
})
