import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { join } from "node:path"
import * as git from "../../../catalogue/git.js"
import { hasGit } from "../../capabilities/git/gitDirectory.js"
import { output } from "../../capabilities/git/head.js"
import { missingAbove, removeBelow, removeEmptyAbove } from "../../capabilities/git/removal.js"
import { openAt, placeOf } from "../../capabilities/git/Repository.js"
import { fromSegments } from "../../workspace/pathForm.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { conflictAt, orConflict, undone } from "./gitWork.js"
import { make, type TypedFound } from "./make.js"

const Before = Schema.Struct({
  segments: Schema.Array(Schema.String),
  isThere: Schema.Boolean,
  /** How many directories above it were not there either. */
  missing: Schema.Number
})
type Before = typeof Before.Type

/** The digest of all that is in the repository; null where it cannot be looked at, or more is in its directory. */
const After = Schema.Struct({ digest: Schema.NullOr(Schema.String) })
type After = typeof After.Type

const hostOf = ({ root }: Workspace, { segments }: Before): string => join(root, ...segments)

const displayOf = ({ segments }: Before): string => fromSegments(segments).display

const before = (workspace: Workspace, path: string, isFree: (host: string) => boolean) =>
  placeOf(workspace, path).pipe(
    Effect.map(({ segments }) => {
      const host = join(workspace.root, ...segments)
      const status = fs.lstatSync(host, { throwIfNoEntry: false })
      if (status !== undefined && (!status.isDirectory() || !isFree(host))) return Option.none<Before>()
      return Option.some<Before>({
        segments,
        isThere: status !== undefined,
        missing: missingAbove(workspace.root, host)
      })
    }),
    // Its handler says why not.
    Effect.catchAll(() => Effect.succeed(Option.none<Before>()))
  )

const digestOf = (workspace: Workspace, place: Before, { whole }: { readonly whole: boolean }) =>
  Effect.gen(function*() {
    const repository = yield* openAt(workspace, displayOf(place))
    const references = yield* output(repository, ["for-each-ref", "--format=%(refname) %(objectname)"])
    const staged = yield* output(repository, ["ls-files", "--stage", "-z"])
    const status = whole
      ? yield* output(repository, [
        "status",
        "--porcelain=v2",
        "-z",
        "--ignored",
        "--untracked-files=all",
        "--ignore-submodules=all"
      ])
      : ""
    if (status !== "") return null
    const files = yield* Effect.forEach(["HEAD", "config"], (name) =>
      Effect.map(
        workspace.read(fromSegments([...place.segments, ".git", name])),
        ({ bytes }) => new TextDecoder().decode(bytes)
      ))
    const settled = [references, staged, ...files]
    return createHash("sha256").update(JSON.stringify(settled)).digest("hex")
  }).pipe(Effect.scoped, Effect.orElseSucceed(() => null))

const remove = (workspace: Workspace, place: Before, { whole }: { readonly whole: boolean }) =>
  Effect.try({
    try: () => {
      removeBelow(workspace, [...place.segments, ".git"], { itself: true })
      if (whole) removeBelow(workspace, place.segments, { itself: false })
      if (!place.isThere) removeEmptyAbove(workspace, [...place.segments, ".git"], place.missing + 1)
    },
    catch: (cause) => ({ message: String(cause) })
  })

const makeNew = (options: { readonly whole: boolean }) => ({
  after: (place: Before, workspace: Workspace): Effect.Effect<After> =>
    Effect.map(digestOf(workspace, place, options), (digest) => ({ digest })),
  found: (place: Before, workspace: Workspace): Effect.Effect<TypedFound<After>> =>
    Effect.suspend((): Effect.Effect<TypedFound<After>> => {
      const host = hostOf(workspace, place)
      if (!fs.existsSync(host) || !hasGit(host)) return Effect.succeed({ _tag: "NotDone" as const })
      return Effect.map(digestOf(workspace, place, options), (digest) =>
        // Cut off in the middle, it cannot be told from what others have put there.
        digest === null ? conflictAt(displayOf(place)) : { _tag: "Done" as const, after: { digest } })
    }),
  undo: (place: Before, { digest }: After, workspace: Workspace) =>
    orConflict(
      displayOf(place),
      Effect.gen(function*() {
        const host = hostOf(workspace, place)
        if (!fs.existsSync(host) || !hasGit(host)) return undone
        const now = yield* digestOf(workspace, place, options)
        if (digest === null || now !== digest) return conflictAt(displayOf(place))
        yield* remove(workspace, place, options)
        return undone
      })
    )
})

const inited = makeNew({ whole: false })

/** The repository goes, if nobody has committed or staged anything in it; the files of its directory stay. */
export const gitInitUndo = make(git.init, { before: Before, after: After }, {
  paths: ({ path }) => [path],
  before: ({ path }, { workspace }) => before(workspace, path, (host) => !hasGit(host)),
  after: (place, _output, _input, { workspace }) => inited.after(place, workspace),
  found: (place, _input, { workspace }) => inited.found(place, workspace),
  undo: (place, after, { workspace }) => inited.undo(place, after, workspace),
  release: () => Effect.void
})

const cloned = makeNew({ whole: true })

/** The clone goes, if nobody has changed anything in it. */
export const gitCloneUndo = make(git.clone, { before: Before, after: After }, {
  paths: ({ path }) => [path],
  before: ({ path }, { workspace }) => before(workspace, path, (host) => fs.readdirSync(host).length === 0),
  after: (place, _output, _input, { workspace }) => cloned.after(place, workspace),
  found: (place, _input, { workspace }) => cloned.found(place, workspace),
  undo: (place, after, { workspace }) => cloned.undo(place, after, workspace),
  release: () => Effect.void
})
