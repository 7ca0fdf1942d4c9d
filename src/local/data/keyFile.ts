import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import { randomBytes, randomUUID } from "node:crypto"
import * as FileSystem from "node:fs/promises"
import { codeOf } from "../workspace/systemFailure.js"

const keyBytes = 32

// A file of text that is a few bytes long ends with a line break at most.
const longest = 256

const keyIn = (content: Buffer): Redacted.Redacted<Uint8Array> | undefined => {
  if (content.length === keyBytes) return Redacted.make(content)
  const text = content.toString("latin1").trim()
  return /^[0-9a-f]{64}$/i.test(text) ? Redacted.make(Buffer.from(text, "hex")) : undefined
}

const readBounded = async (path: string) => {
  const file = await FileSystem.open(path, "r")
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longest), 0, longest, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/**
 * The key of a file: 32 bytes, or 64 hexadecimal characters; undefined where it holds something else. Fails as the operating system
 * does.
 */
export const readKeyFile = (path: string): Effect.Effect<Redacted.Redacted<Uint8Array> | undefined, unknown> =>
  Effect.map(Effect.tryPromise({ try: () => readBounded(path), catch: (cause) => cause }), keyIn)

const make = async (path: string) => {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await FileSystem.open(temporary, "wx", 0o600)
    try {
      await file.writeFile(`${randomBytes(keyBytes).toString("hex")}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    // Of several gateways on the same data that make one, all use that of the first.
    await FileSystem.link(temporary, path).catch((cause: unknown) => {
      if (codeOf(cause) !== "EEXIST") throw cause
    })
  } finally {
    await FileSystem.rm(temporary, { force: true })
  }
}

/** The key of a file, which is made where there is none: 64 hexadecimal characters, for its owner alone. */
export const readOrMakeKeyFile = (
  path: string
): Effect.Effect<Redacted.Redacted<Uint8Array> | undefined, unknown> =>
  Effect.catchIf(
    readKeyFile(path),
    (cause) => codeOf(cause) === "ENOENT",
    () => Effect.zipRight(Effect.tryPromise({ try: () => make(path), catch: (cause) => cause }), readKeyFile(path))
  )
