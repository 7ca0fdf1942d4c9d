import { InvalidInput } from "../../../errors/general.js"

/** What a repository says of itself: names, with a section and a name in lower case, and values. */
export type Configuration = ReadonlyArray<readonly [string, string]>

const most = 1000

const mostRemotes = 100

/** Reads what `git config --list -z` says. */
export const parse = (listed: string): Configuration =>
  listed.split("\0").slice(0, -1).map((entry) => {
    const end = entry.indexOf("\n")
    // A name alone means yes.
    return end === -1 ? [entry, "true"] as const : [entry.slice(0, end), entry.slice(end + 1)] as const
  })

// Whatever is not here is not looked at: most of the rest can name a program, another file or another host.
const allowed = [
  /^core\.(?:autocrlf|eol|filemode|ignorecase|logallrefupdates|precomposeunicode|sparsecheckout|sparsecheckoutcone|symlinks)$/,
  /^user\.(?:name|email)$/,
  /^(?:author|committer)\.(?:name|email)$/,
  /^branch\..+\.(?:remote|merge)$/s,
  /^i18n\.commitencoding$/
]

/** Where the branches of a remote are kept. */
export const fetched = (remote: string): readonly [string, string] => [
  `remote.${remote}.fetch`,
  `+refs/heads/*:refs/remotes/${remote}/*`
]

/** The remotes that a repository has an address of. */
const remotesOf = (configuration: Configuration): ReadonlyArray<string> => [
  ...new Set(configuration.flatMap(([name]) => {
    const [, remote] = /^remote\.([\w][\w./-]*)\.url$/.exec(name) ?? []
    return remote === undefined ? [] : [remote]
  }))
]

/** What of a repository's configuration holds for commands in it; where its remotes are is looked up apart from that. */
export const harmless = (configuration: Configuration): Configuration => [
  ...configuration.filter(([name]) => allowed.some((pattern) => pattern.test(name))).slice(0, most),
  ...remotesOf(configuration).slice(0, mostRemotes).map(fetched)
]

/** The last value of a name, which is the one that counts. */
export const valueOf = (configuration: Configuration, name: string): string | undefined =>
  configuration.findLast(([other]) => other === name)?.[1]

/** The configuration that git is given instead: what of it has to be in a file. */
export const fileOf = (configuration: Configuration, bare: boolean): string | InvalidInput => {
  const version = valueOf(configuration, "core.repositoryformatversion") ?? "0"
  const format = valueOf(configuration, "extensions.objectformat")
  const refs = valueOf(configuration, "extensions.refstorage") ?? "files"
  if (!/^[01]$/.test(version) || refs !== "files" || (format !== undefined && !/^sha(?:1|256)$/.test(format))) {
    const reason = "the form of the repository is not one that this gateway knows"
    return new InvalidInput({ message: `The repository cannot be used: ${reason}`, field: "path", reason })
  }
  return [
    "[core]",
    `\trepositoryformatversion = ${format === undefined ? 0 : 1}`,
    `\tbare = ${bare}`,
    ...format === undefined ? [] : ["[extensions]", `\tobjectFormat = ${format}`],
    ""
  ].join("\n")
}
