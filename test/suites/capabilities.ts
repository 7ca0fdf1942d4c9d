import { assert, layer } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Capabilities, InvocationEvent, isCapabilityError } from "kruxos"
import { Outcome } from "kruxos/schema"
import type { GatewayLayer } from "./GatewayLayer.js"
import { whereItHolds } from "./leftOut.js"

/** What holds for the Capabilities of every layer. */
export const capabilitiesSuite = ({ layer: gateway, name, pushes }: GatewayLayer) =>
  layer(gateway, { excludeTestServices: true })(`Capabilities (${name})`, (it) => {
    const effectWhereItHolds = whereItHolds(it.effect, "Capabilities", name)

    it.effect("lists what there is, sorted by name, with purposes and tiers", () =>
      Effect.gen(function*() {
        const all = yield* (yield* Capabilities).list()
        const names = all.map((capability) => capability.name)
        assert.deepStrictEqual(names, names.toSorted())
        assert.strictEqual(names.filter((each) => each.startsWith("filesystem.")).length, 13)
        for (const capability of all) {
          assert.notStrictEqual(capability.purpose, "")
          assert.notStrictEqual(capability.permissionTier, undefined)
        }
      }))

    it.effect("filters by category, tag and a part of the name, all at once", () =>
      Effect.gen(function*() {
        const capabilities = yield* Capabilities
        const names = (filter: Parameters<typeof capabilities.list>[0]) =>
          Effect.map(capabilities.list(filter), (found) => found.map((capability) => capability.name))
        assert.deepStrictEqual(yield* names({ category: "system" }), [
          "system.health",
          "system.info",
          "system.metrics",
          "system.time"
        ])
        assert.deepStrictEqual(yield* names({ category: "sys" }), [])
        assert.include(yield* names({ tag: "aggregate" }), "filesystem.search")
        assert.notInclude(yield* names({ tag: "aggregate" }), "filesystem.read")
        assert.deepStrictEqual(yield* names({ category: "filesystem", nameContains: "SEARCH", tag: "safe" }), [
          "filesystem.search"
        ])
      }))

    it.effect("describes a capability whole", () =>
      Effect.gen(function*() {
        const described = yield* (yield* Capabilities).describe("filesystem.write")
        assert.deepStrictEqual(
          described.inputs.map((input) => [input.name, input.type, input.required, input.default]),
          [
            ["path", "FilesystemPath", true, undefined],
            ["content", "String", true, undefined],
            ["encoding", "String", false, "utf-8"],
            ["create_parents", "Boolean", false, false]
          ]
        )
        assert.deepStrictEqual(described.sideEffects.map(({ reversible }) => reversible), [true])
        assert.deepStrictEqual(described.errors.map(({ type }) => type), [
          "PathOutOfScope",
          "ParentNotFound",
          "DiskFull"
        ])
        assert.notStrictEqual(described.whenToUse, "")
        assert.strictEqual(described.permissionTier, "notify")
      }))

    it.effect("runs what has a key once, and tells what has become of it", () =>
      Effect.gen(function*() {
        const { invoke, outcome } = yield* Capabilities
        const append = (content: string) =>
          invoke("filesystem.append", { path: "keyed.txt", content }, { idempotencyKey: `${name} key` })
        assert.deepStrictEqual(yield* outcome(`${name} key`), Outcome.NotFound())
        const first = yield* append("once\n")
        assert.deepStrictEqual(yield* append("once\n"), first)
        assert.strictEqual((yield* Effect.flip(append("something else\n")))._tag, "InvalidInput")
        assert.strictEqual((yield* invoke("filesystem.read", { path: "keyed.txt" })).content, "once\n")
        assert.deepStrictEqual(
          yield* outcome(`${name} key`, "filesystem.append"),
          Outcome.Done({ result: Either.right(first) })
        )
      }))

    it.effect("says of an unknown capability that there is none", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip((yield* Capabilities).describe("filesystem.reed"))
        assert.strictEqual(error._tag, "CapabilityNotFound")
      }))

    it.effect("reads a file, with every spelling of its fields", () =>
      Effect.gen(function*() {
        const file = yield* (yield* Capabilities).invoke("filesystem.read", { path: "README.md" })
        assert.strictEqual(file.content, "# Workspace\n\nA file to read.\n")
        assert.strictEqual(file.size, 29)
        assert.strictEqual(file.size_bytes, 29)
        assert.isTrue(file.modified !== undefined && DateTime.isUtc(file.modified))
        assert.deepStrictEqual(file.modified_at, file.modified)
        assert.match(file.checksum ?? "", /^[0-9a-f]{64}$/)
      }))

    it.effect("writes, appends, edits and reads again", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const path = "/workspace/new/deep/file.txt"
        yield* invoke("filesystem.write", { path, content: "first\n", create_parents: true })
        yield* invoke("filesystem.append", { path, content: "second\n" })
        yield* invoke("filesystem.edit", { path, pattern: "second", replace: "last", expected_replacements: 1 })
        const { content } = yield* invoke("filesystem.read", { path })
        assert.strictEqual(content, "first\nlast\n")
      }))

    it.effect("carries text of every kind unharmed", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const content = "\u0000 \u001f \"quotes\" \\ \u2028 emoji 🦑 and the rest: ÄÖÜ 漢字\r\n\t"
        yield* invoke("filesystem.write", { path: "text.txt", content })
        const read = yield* invoke("filesystem.read", { path: "text.txt" })
        assert.strictEqual(read.content, content)
      }))

    it.effect("fails with the capability's own error, and with what can be done about it", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const error = yield* Effect.flip(invoke("filesystem.read", { path: "/workspace/notes/three.txt" }))
        assert.strictEqual(error._tag, "FileNotFound")
        assert.isTrue(isCapabilityError(error))
        assert.strictEqual(error.capability, "filesystem.read")
        assert.isFalse(error.retryable)
        assert.deepStrictEqual(error.recovery.map(({ action }) => action), ["search", "list"])
        const list = error.recovery.find(({ action }) => action === "list")
        assert.strictEqual(list?.capability, "filesystem.list")
        assert.deepStrictEqual(list?.inputs, { path: "/workspace/notes" })
        assert.strictEqual(error._tag === "FileNotFound" ? error.path : undefined, "/workspace/notes/three.txt")
      }))

    it.effect("refuses paths outside the workspace", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        for (const path of ["../../etc/passwd", "/etc/passwd", "/workspace/../etc/passwd", "notes/../../x"]) {
          const error = yield* Effect.flip(invoke("filesystem.read", { path }))
          assert.strictEqual(error._tag, "PathOutOfScope", path)
        }
      }))

    it.effect("refuses arguments of the wrong form before they are sent, naming the field", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const error = yield* Effect.flip(invoke("filesystem.read", { path: "README.md", offset: -1 }))
        assert.strictEqual(error._tag, "InvalidInput")
        assert.strictEqual(error._tag === "InvalidInput" ? error.field : undefined, "offset")
      }))

    it.effect("has the gateway refuse arguments of the wrong form as well", () =>
      Effect.gen(function*() {
        const { invokeDynamic } = yield* Capabilities
        for (
          const [input, field] of [
            [{}, "path"],
            [{ path: 7 }, "path"],
            [{ path: "README.md", ofset: 1 }, "ofset"],
            [{ path: "a\u0000b" }, "path"]
          ] as const
        ) {
          const error = yield* Effect.flip(invokeDynamic("filesystem.read", input))
          assert.strictEqual(error._tag, "InvalidInput")
          assert.strictEqual(error._tag === "InvalidInput" ? error.field : undefined, field)
        }
      }))

    it.effect("refuses arguments to what takes none", () =>
      Effect.gen(function*() {
        const { invokeDynamic } = yield* Capabilities
        const error = yield* Effect.flip(invokeDynamic("system.info", { verbose: true }))
        assert.strictEqual(error._tag === "InvalidInput" ? error.field : error._tag, "verbose")
      }))

    it.effect("holds what needs approval back, and gives the id of the request", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const error = yield* Effect.flip(invoke("filesystem.delete", { path: "notes/one.txt" }))
        assert.strictEqual(error._tag, "ApprovalRequired")
        if (error._tag !== "ApprovalRequired") return
        assert.match(error.approvalId, /^apr-/)
        assert.strictEqual(error.capability, "filesystem.delete")
        assert.isTrue((yield* invoke("filesystem.stat", { path: "notes/one.txt" })).exists)
      }))

    it.effect("gives failures as values when asked for a result", () =>
      Effect.gen(function*() {
        const { invokeResult } = yield* Capabilities
        const good = yield* invokeResult("filesystem.read", { path: "README.md" })
        assert.isTrue(good.success)
        assert.strictEqual(good.data?.size, 29)
        const bad = yield* invokeResult("filesystem.read", { path: "nowhere" })
        assert.isFalse(bad.success)
        assert.strictEqual(bad.error?.type, "FileNotFound")
        assert.isAbove(bad.error?.recovery.length ?? 0, 0)
      }))

    it.effect("invokes by a name that is known at run time only", () =>
      Effect.gen(function*() {
        const { invokeDynamic } = yield* Capabilities
        const typed = yield* invokeDynamic("filesystem.stat", { path: "README.md" }, {
          output: Schema.Struct({ exists: Schema.Boolean, size: Schema.Int })
        })
        assert.strictEqual(typed.size, 29)
        const wrong = yield* Effect.flip(invokeDynamic("filesystem.stat", { path: "README.md" }, {
          output: Schema.Struct({ colour: Schema.String })
        }))
        assert.strictEqual(wrong._tag, "OutputMismatch")
        const unknown = yield* Effect.flip(invokeDynamic("filesystem.fly"))
        assert.strictEqual(unknown._tag, "CapabilityNotFound")
      }))

    effectWhereItHolds("lists what it does not carry out yet, and says so when asked", () =>
      Effect.gen(function*() {
        const { describe, invoke } = yield* Capabilities
        assert.strictEqual((yield* describe("slack.channels")).permissionTier, "autonomous")
        const error = yield* Effect.flip(invoke("slack.channels", {}))
        assert.strictEqual(error._tag, "ServiceUnavailable")
        assert.isFalse(error.retryable)
        assert.strictEqual(error._tag === "ServiceUnavailable" ? error.service : undefined, "slack")
      }))

    it.effect("runs many invocations at once, each with its own answer", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const numbers = Array.from({ length: 100 }, (_, index) => index)
        yield* Effect.forEach(
          numbers,
          (index) => invoke("filesystem.write", { path: `many-${index}.txt`, content: `${index}` }),
          { concurrency: 20 }
        )
        const contents = yield* Effect.forEach(
          numbers,
          (index) => Effect.map(invoke("filesystem.read", { path: `many-${index}.txt` }), ({ content }) => content),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(contents, numbers.map(String))
      }))

    it.effect("tells how far an invocation is, and at the end what it has come to", () =>
      Effect.gen(function*() {
        const { invoke, invokeStream } = yield* Capabilities
        const search = { path: "/workspace/notes", pattern: "*.txt" }
        const events = Chunk.toReadonlyArray(yield* Stream.runCollect(invokeStream("filesystem.search", search)))
        const output = yield* invoke("filesystem.search", search)
        assert.deepStrictEqual(events.at(-1), InvocationEvent.Completed({ output }))
        const counts = events.flatMap((event) => event._tag === "Progress" ? [event.progress] : [])
        assert.deepStrictEqual(counts, counts.toSorted((one, other) => one - other))
        assert.deepStrictEqual(counts.slice(-1), pushes ? [output.total_matches] : [])
        const error = yield* Effect.flip(Stream.runDrain(invokeStream("filesystem.read", { path: "nowhere" })))
        assert.strictEqual(error._tag, "FileNotFound")
      }))

    it.effect("stops an invocation that its caller gives up", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const searching = yield* Effect.fork(
          invoke("filesystem.search_content", { path: "/workspace", pattern: "(a|b)*c{1,50}", regex: true })
        )
        yield* Effect.yieldNow()
        const [elapsed] = yield* Effect.timed(Fiber.interrupt(searching))
        assert.isBelow(Duration.toMillis(elapsed), 5000)
        assert.strictEqual((yield* invoke("filesystem.stat", { path: "README.md" })).exists, true)
      }))

    it.effect("delivers the events of a watch to the agent's inbox", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const { watch_id } = yield* invoke("filesystem.watch", { path: "/workspace/notes", event_types: ["create"] })
        yield* invoke("filesystem.write", { path: "/workspace/notes/new.txt", content: "new" })
        const message = yield* invoke("comms.receive", { channel: `watch:${watch_id}` }).pipe(
          Effect.flatMap(({ messages }) => Arr.head(messages)),
          Effect.retry({
            schedule: Schedule.spaced("50 millis"),
            while: ({ _tag }) => _tag === "NoSuchElementException"
          }),
          Effect.timeout("10 seconds")
        )
        assert.strictEqual(message.from, "filesystem.watch")
        assert.include(message.message, "/workspace/notes/new.txt")
        const again = yield* invoke("comms.receive", { channel: `watch:${watch_id}` })
        assert.deepStrictEqual(again.messages.filter(({ message_id }) => message_id === message.message_id), [])
      }))

    it.effect("tells who the agent is and what it may do", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const me = yield* invoke("agent.whoami")
        assert.strictEqual(me.agent_name, "agent")
        assert.strictEqual(me.workspace_path, "/workspace")
        const seen = yield* invoke("agent.capabilities", { category: "comms" })
        assert.deepStrictEqual(seen.capabilities.map((capability) => capability.name), [
          "comms.broadcast",
          "comms.receive",
          "comms.send",
          "comms.subscribe"
        ])
        const policy = yield* invoke("agent.policy")
        assert.strictEqual(
          policy.rules.find(({ capability }) => capability === "filesystem.delete")?.tier,
          "approval_required"
        )
        const before = yield* invoke("agent.session")
        const after = yield* invoke("agent.session")
        assert.strictEqual(after.invocation_count, before.invocation_count + 1)
        assert.strictEqual(after.session_id, before.session_id)
      }))

    it.effect("measures the machine", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const info = yield* invoke("system.info")
        assert.isAbove(info.cpu_count, 0)
        assert.isAtLeast(info.memory_total_bytes, info.memory_available_bytes)
        const health = yield* invoke("system.health")
        assert.notStrictEqual(health.overall_status, "unhealthy")
        const time = yield* invoke("system.time", { timezone: "Asia/Tokyo" })
        assert.match(time.local ?? "", /\+09:00/)
      }))
  })
