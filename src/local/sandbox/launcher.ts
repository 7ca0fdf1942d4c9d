import type { Limits, Program } from "./Sandbox.js"

/** How many processes there are of the gateway's in a program's group: the launcher, and two of bubblewrap. */
export const ownProcesses = { none: 1, bubblewrap: 3 } as const

/** The descriptor that the launcher reports on. */
export const reportDescriptor = 3

// Descriptors that neither the program nor its children may have.
const closed = [3, 4, 5, 6, 7, 8].map((descriptor) => `${descriptor}>&-`).join(" ")

/**
 * What starts a program, for `/bin/sh`: it sets limits, looks for the program, runs it, and reports what became of it on a descriptor that
 * the program does not have. Signals that are sent to the whole group do not end it before the program; a shell gives traps up for
 * the programs that it runs, whereas it would hand ignored signals on. A second shell says that the program has started and then becomes it,
 * so that no signal is lost between the two. What shells say of programs that a signal ended is not among the program's output.
 *
 * Its arguments: data segment in kibibytes, seconds of processor time, number of processes (each `-` for no limit), then the program.
 */
export const script = `
trap : HUP INT QUIT USR1 USR2 TERM XCPU
data=$1 seconds=$2 processes=$3; shift 3
ulimit -c 0 2>/dev/null
ulimit -n 1024 2>/dev/null
[ "$data" = - ] || ulimit -d "$data" 2>/dev/null
[ "$processes" = - ] || ulimit -u "$processes" 2>/dev/null || ulimit -p "$processes" 2>/dev/null
[ "$seconds" = - ] || { ulimit -S -t "$seconds"; ulimit -H -t $((seconds + 2)); } 2>/dev/null
file=$1; shift; found=
case $file in
  */*) if [ -e "$file" ]; then found=$file; fi ;;
  *)
    IFS=:
    for directory in $PATH; do
      if [ -f "$directory/$file" ] && [ -x "$directory/$file" ]; then found=$directory/$file; break; fi
    done
    unset IFS ;;
esac
if [ -z "$found" ]; then echo not-found >&3; exit 127; fi
if [ -d "$found" ] || [ ! -x "$found" ]; then echo not-executable >&3; exit 126; fi
exec 8>&2 2>/dev/null
( exec /bin/sh -c 'echo started >&3; exec "$@" ${closed}' sh "$found" "$@" 2>&8 )
code=$?
times >&3
while read -r key value; do
  case $key in read_bytes:|write_bytes:) echo "$key $value" >&3 ;; esac
done 2>/dev/null </proc/self/io
echo "exit $code" >&3
exit "$code"
`

// A shell refuses what is longer, and would set no limit at all.
const most = 2 ** 50

const limit = (value: number | undefined): string =>
  value === undefined ? "-" : String(Math.min(Math.max(1, Math.ceil(value)), most))

/** The arguments of `/bin/sh` that start a program; `processes` where the system counts them for the program alone. */
export const launcherArguments = (
  program: Program,
  { cpu, memoryBytes, seconds }: Limits,
  processes: number | undefined
): ReadonlyArray<string> => [
  "-c",
  script,
  "sh",
  limit(memoryBytes / 1024),
  limit(seconds === undefined ? undefined : cpu * seconds),
  limit(processes),
  ...(program._tag === "Line" ? ["/bin/sh", "-c", program.line] : [program.file, ...program.args])
]

/** What the launcher has reported so far. */
export interface Report {
  readonly begun: "started" | "not-found" | "not-executable" | undefined
  readonly code: number | undefined
  readonly cpuMillis: number | undefined
  readonly readBytes: number | undefined
  readonly writtenBytes: number | undefined
}

const millisOf = (minutes: string | undefined, seconds: string | undefined): number =>
  (Number(minutes) * 60 + Number(seconds)) * 1000

const numberIn = (pattern: RegExp, text: string): number | undefined => {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

// The second line is of the children that have been waited for.
const timesLine = /^\S+m\S+s \S+m\S+s\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/m

/** Reads what the launcher wrote. */
export const readReport = (text: string): Report => {
  const begun = /^(started|not-found|not-executable)$/m.exec(text)?.[1]
  const times = timesLine.exec(text)
  return {
    begun: begun === "started" || begun === "not-found" || begun === "not-executable" ? begun : undefined,
    code: numberIn(/^exit (\d+)$/m, text),
    cpuMillis: times === null ? undefined : Math.round(millisOf(times[1], times[2]) + millisOf(times[3], times[4])),
    readBytes: numberIn(/^read_bytes: (\d+)$/m, text),
    writtenBytes: numberIn(/^write_bytes: (\d+)$/m, text)
  }
}
