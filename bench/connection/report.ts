import { rounded, type Section } from "../measurement.js"
import { nodeAlone } from "./coldStart.js"
import { clients, type Contestant } from "./contestants.js"
import { servers } from "./localGateway.js"
import { lengths } from "./longLog.js"
import { inFlight } from "./memory.js"
import { longestRecovery } from "./recovery.js"
import { type Figure, figures, type Samples } from "./Samples.js"
import { bareOperations, operations, sqliteName, stateName, widths } from "./stateOperations.js"
import { kinds, ways, writeCount, writesName } from "./writes.js"

const digits = (value: number): number => Math.abs(value) >= 100 ? 0 : 1

const shown = (value: number): string =>
  Number.isNaN(value)
    ? "—"
    : value === Infinity
    ? "never"
    : rounded(value, digits(value)).toLocaleString("en-US", { maximumFractionDigits: 1 })

const cell = (samples: Samples, figure: Figure, name: string): string => {
  const values = samples.of(figure, name)
  const median = samples.median(figure, name)
  return values.length < 2 || !Number.isFinite(median)
    ? shown(median)
    : `${shown(median)} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`
}

const ratio = (value: number): string => Number.isFinite(value) ? value.toFixed(2) : "—"

const compared = (samples: Samples, { base, name }: Contestant, shownFigures: ReadonlyArray<Figure>) =>
  shownFigures.flatMap((figure) => [cell(samples, figure, name), ratio(samples.ratio(figure, name, base))])

const heading = (title: string, figure: Figure) => [`${title}, ${figures[figure]}`, "of bare"]

/** The measurements as tables. */
export const sectionsOf = (samples: Samples): ReadonlyArray<Section> => [
  {
    title: "Calls",
    columns: [
      "client",
      ...heading("one at a time, p50", "sequentialHalf"),
      ...heading("p99", "sequentialMost"),
      ...heading("64 in flight", "throughput64"),
      ...heading("1,024 in flight", "throughput1024")
    ],
    rows: clients.map((client) => [
      client.title,
      ...compared(samples, client, ["sequentialHalf", "sequentialMost", "throughput64", "throughput1024"])
    ]),
    notes: [
      "median of the rounds, and the least and the most of them; the clients by turns",
      "`of bare`: the median of the ratios to the bare client of the same transport, each within one round",
      "one minimal server answers all clients with the same 125 bytes; it writes what it answers in one go; @effect/rpc's messages " +
      "are its own JSON form, which the same server speaks"
    ]
  },
  {
    title: "What a call costs the client's processor",
    columns: [
      "client",
      ...heading("64 in flight", "processor64"),
      ...heading("1,024 in flight", "processor1024")
    ],
    rows: clients.map((client) => [
      client.title,
      ...compared(samples, client, ["processor64", "processor1024"])
    ]),
    notes: [
      "time of all threads of the client, collecting garbage included; a busy machine disturbs it less than the figures above"
    ]
  },
  {
    title: "Starting, and finding back",
    columns: [
      "client",
      ...heading("connect + first call", "connect"),
      ...heading("cold start", "unbundled"),
      ...heading("cold start, bundled", "bundled"),
      ...heading("recovery from a drop", "recovery")
    ],
    rows: [
      ...clients.map((client) => [
        client.title,
        ...compared(samples, client, ["connect", "unbundled", "bundled", "recovery"])
      ]),
      [
        "Node alone",
        "—",
        "—",
        cell(samples, "unbundled", nodeAlone),
        ratio(samples.ratio("unbundled", nodeAlone, "raw")),
        cell(samples, "bundled", nodeAlone),
        ratio(samples.ratio("bundled", nodeAlone, "raw")),
        "—",
        "—"
      ]
    ],
    notes: [
      "connect + first call: in a process that is warm; cold start: from starting a process to its first answer",
      "bundled: one minified file by esbuild",
      `recovery: from the server's cutting the socket to the next call that succeeds; never is ${
        longestRecovery / 1000
      } s; the bare ` +
      "WebSocket client is dialled again by hand as soon as a call fails, the others find back by themselves"
    ]
  },
  {
    title: `Memory with ${inFlight.toLocaleString("en-US")} calls in flight`,
    columns: ["client", "resident, MB more", "heap, MB more", "resident at most, MB more"],
    rows: clients.filter(({ transport }) => transport === "websocket").map(({ name, title }) => [
      title,
      cell(samples, "memory", name),
      cell(samples, "heap", name),
      cell(samples, "peak", name)
    ]),
    notes: [
      "more than before the calls, in a fresh process each time; the server answers when all have arrived; the heap after a collection",
      "at most: the largest that the process has been when all are answered"
    ]
  },
  {
    title: "The local gateway as a server, 64 in flight",
    columns: [
      "server",
      "system.time, calls/s",
      "of official",
      "filesystem.read of 1 kB, calls/s",
      "of official"
    ],
    rows: servers.map(({ name, title }) => [
      title,
      ...(["serverTime", "serverRead"] as const).flatMap((figure) => [
        cell(samples, figure, name),
        ratio(samples.ratio(figure, name, "officialServer"))
      ])
    ]),
    notes: [
      "asked by the bare client over a WebSocket; the official Server has equal tools and a thin transport, and does not confine what it reads"
    ]
  },
  {
    title: "State, over a WebSocket to the local gateway",
    columns: ["operation", "in flight", "calls/s", "of bare SQLite", "p99, µs"],
    rows: bareOperations.flatMap((bare) => {
      const row = (title: string, inFlight: string, name: string) => [
        title,
        inFlight,
        cell(samples, "stateCalls", name),
        ratio(samples.ratio("stateCalls", name, sqliteName(bare))),
        cell(samples, "stateMost", name)
      ]
      const ofBare = operations.filter((operation) => operation.bare === bare)
      return [
        row(`bare SQLite, ${bare}`, "—", sqliteName(bare)),
        ...ofBare.flatMap(({ capability }) =>
          widths.map((width) => row(capability, width.toLocaleString("en-US"), stateName(capability, width)))
        )
      ]
    }),
    notes: [
      "asked by the bare client; 1,000 keys, values of about 150 bytes",
      "bare SQLite: a loop in one process with libsql, the gateway's pragmas and prepared statements; each set is a transaction that " +
      "stores the entry and a version of it, and drops the version before the last 100; no audit log, no policy, no JSON",
      "p99: from the call to its answer, waiting behind the others in flight included"
    ]
  },
  {
    title: `A transaction of ${writeCount} writes`,
    columns: ["writes", "alone, ms", "as a transaction, ms", "of alone"],
    rows: kinds.map((kind) => [
      kind,
      ...ways.map((way) => cell(samples, "writes", writesName(kind, way))),
      ratio(samples.ratio("writes", writesName(kind, "transaction"), writesName(kind, "alone")))
    ]),
    notes: ["one after the other, 1 kB each, asked by the bare client over a WebSocket; with begin and commit"]
  },
  {
    title: "A gateway with a long audit log",
    columns: ["entries", "ready after, ms", "resident then, MB"],
    rows: lengths.map((length) => [
      length.toLocaleString("en-US"),
      cell(samples, "start", `log-${length}`),
      cell(samples, "resident", `log-${length}`)
    ]),
    notes: ["a process of its own, started anew each time"]
  }
]
