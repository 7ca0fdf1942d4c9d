import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as fs from "node:fs/promises"
import { basename, join } from "node:path"
import type { FileRole } from "./compile.js"
import { type InvalidPolicy, wholeFile } from "./InvalidPolicy.js"
import type { Layer } from "./Layer.js"
import { mostBytes, parsePolicy } from "./parse.js"

/** Where policies are looked for. */
export interface PolicyPlaces {
  /** The directory with `system.yaml`, `organization.yaml` and `agents/NAME.yaml`; it need not be there. */
  readonly directory: string | undefined
  /** A file that takes the place of `organization.yaml`, and has to be there. */
  readonly organizationFile: string | undefined
  /** Whether there is an organization's file at all. */
  readonly hasOrganizationFile: boolean
}

/** A policy file, and what tells one state of it from another. */
export interface Seen {
  readonly file: string
  readonly role: FileRole
  readonly signature: string
}

/** The signature of a file that is not there. */
export const absent = "absent"

const codeOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : String(cause)

const isMissing = (code: string) => code === "ENOENT" || code === "ENOTDIR"

const failing = (code: string) => `failing:${code}`

/** What tells the state that a file is in from any other. */
export const signatureOf = (file: string): Effect.Effect<string> =>
  Effect.tryPromise({ try: () => fs.stat(file, { bigint: true }), catch: codeOf }).pipe(
    Effect.match({
      onFailure: (code) => isMissing(code) ? absent : failing(code),
      onSuccess: ({ ctimeNs, dev, ino, mtimeNs, size }) => [dev, ino, size, mtimeNs, ctimeNs].join(":")
    })
  )

const namesIn = (directory: string): Effect.Effect<ReadonlyArray<string>, string> =>
  Effect.tryPromise({ try: () => fs.readdir(directory), catch: codeOf }).pipe(
    Effect.catchIf(isMissing, () => Effect.succeed([]))
  )

const agentName = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.ya?ml$/i

const agentFiles = (directory: string): Effect.Effect<ReadonlyArray<Omit<Seen, "signature">>, InvalidPolicy> =>
  namesIn(directory).pipe(
    Effect.mapError((code) => wholeFile(directory, `the policies of agents cannot be listed (${code})`)),
    Effect.map((names) =>
      names.toSorted().flatMap((name) => {
        const agent = agentName.exec(name)?.[1]
        return agent === undefined ? [] : [{ file: join(directory, name), role: { layer: "agent" as const, agent } }]
      })
    )
  )

const sharedFiles = ({ directory, hasOrganizationFile, organizationFile }: PolicyPlaces) => {
  const system = { layer: "system" as const }
  const organization = { layer: "organization" as const }
  const below = (name: string, role: FileRole) => directory === undefined ? [] : [{ file: join(directory, name), role }]
  return [
    ...below("system.yaml", system),
    ...below("system.yml", system),
    ...(organizationFile === undefined ? [] : [{ file: organizationFile, role: organization }]),
    ...(organizationFile === undefined && hasOrganizationFile
      ? [...below("organization.yaml", organization), ...below("organization.yml", organization)]
      : [])
  ]
}

/** All policy files as they are now; a shared one that is not there has the signature `absent`. */
export const look = (places: PolicyPlaces): Effect.Effect<ReadonlyArray<Seen>, InvalidPolicy> =>
  Effect.gen(function*() {
    const { directory } = places
    const agents = directory === undefined ? [] : yield* agentFiles(join(directory, "agents"))
    return yield* Effect.forEach(
      [...sharedFiles(places), ...agents],
      (found) => Effect.map(signatureOf(found.file), (signature): Seen => ({ ...found, signature })),
      { concurrency: 8 }
    )
  })

/** All paths whose changes may be changes of policies. */
export const watchedPaths = ({ directory }: PolicyPlaces, seen: Iterable<Seen>): ReadonlyArray<string> => [
  ...(directory === undefined ? [] : [directory, join(directory, "agents")]),
  ...Array.from(seen, ({ file }) => file)
]

const reasonOf = (code: string): string => {
  switch (code) {
    case "ENOENT":
      return "there is no such file"
    case "EACCES":
      return "it may not be read"
    default:
      return `it cannot be read (${code})`
  }
}

const fill = async (handle: fs.FileHandle, bytes: Uint8Array, length: number): Promise<number> => {
  const { bytesRead } = await handle.read(bytes, length, bytes.length - length)
  return bytesRead === 0 || length + bytesRead === bytes.length
    ? length + bytesRead
    : fill(handle, bytes, length + bytesRead)
}

const readBytes = async (file: string): Promise<Uint8Array | string> => {
  // A pipe would never end, and to open it may take for ever.
  if (!(await fs.stat(file)).isFile()) return "it is no file"
  const handle = await fs.open(file)
  try {
    const bytes = new Uint8Array(mostBytes + 1)
    const length = await fill(handle, bytes, 0)
    return length > mostBytes ? `it is larger than ${mostBytes} bytes` : bytes.subarray(0, length)
  } finally {
    await handle.close()
  }
}

const decodeText = (bytes: Uint8Array): Either.Either<string, string> =>
  Either.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => "it is no text in UTF-8"
  })

/** Reads the text of a policy file, which has to be there. */
export const readText = (file: string): Effect.Effect<string, InvalidPolicy> =>
  Effect.tryPromise({ try: () => readBytes(file), catch: (cause) => reasonOf(codeOf(cause)) }).pipe(
    Effect.flatMap((read) => typeof read === "string" ? Either.left(read) : decodeText(read)),
    Effect.mapError((reason) => wholeFile(file, reason))
  )

const misnamed = (file: string): InvalidPolicy | undefined =>
  file.endsWith(".yaml")
    ? undefined
    : wholeFile(file, `it is not used under this name: call it ${basename(file).replace(/\.ya?ml$/i, ".yaml")}`)

/** Reads and checks a policy file. */
export const readLayer = (
  { file, role }: Pick<Seen, "file" | "role">,
  mayHaveAnyName: boolean
): Effect.Effect<Layer, InvalidPolicy> => {
  const problem = mayHaveAnyName ? undefined : misnamed(file)
  return problem === undefined
    ? Effect.flatMap(readText(file), (text) => parsePolicy(text, file, role))
    : Effect.fail(problem)
}
