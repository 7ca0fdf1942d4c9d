import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { randomBytes } from "node:crypto"

/** A span that was started with a collecting tracer. */
export interface CollectedSpan extends Tracer.Span {
  readonly attributes: Map<string, unknown>
  status: Tracer.SpanStatus
}

/** A tracer that keeps all spans in memory, in the order in which they were started. */
export interface CollectingTracer {
  readonly tracer: Tracer.Tracer
  readonly spans: ReadonlyArray<CollectedSpan>
  /** Those that have a name, or begin with it and a blank. */
  readonly named: (name: string) => ReadonlyArray<CollectedSpan>
}

export const make = (): CollectingTracer => {
  const spans: Array<CollectedSpan> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const events: Array<unknown> = []
      const span: CollectedSpan = {
        _tag: "Span",
        name,
        spanId: randomBytes(8).toString("hex"),
        traceId: Option.match(parent, {
          onNone: () => randomBytes(16).toString("hex"),
          onSome: ({ traceId }) => traceId
        }),
        parent,
        context,
        links,
        kind,
        sampled: true,
        attributes: new Map(),
        status: { _tag: "Started", startTime },
        end: (endTime, exit) => {
          span.status = { _tag: "Ended", startTime, endTime, exit }
        },
        attribute: (key, value) => void span.attributes.set(key, value),
        event: (...event) => void events.push(event),
        addLinks: () => {}
      }
      spans.push(span)
      return span
    },
    context: (run) => run()
  })
  return {
    tracer,
    spans,
    named: (name) => spans.filter((span) => span.name === name || span.name.startsWith(`${name} `))
  }
}

export const parentId = ({ parent }: CollectedSpan): string | undefined =>
  Option.getOrUndefined(Option.map(parent, ({ spanId }) => spanId))

interface Placed {
  readonly span: CollectedSpan
  readonly depth: number
}

const placed = (spans: ReadonlyArray<CollectedSpan>): ReadonlyArray<Placed> => {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const parentIn = (span: CollectedSpan) => {
    const id = parentId(span)
    return id !== undefined && ids.has(id) ? id : undefined
  }
  const below = (id: string | undefined, depth: number): ReadonlyArray<Placed> =>
    spans.flatMap((span) => parentIn(span) === id ? [{ span, depth }, ...below(span.spanId, depth + 1)] : [])
  return below(undefined, 0)
}

/** The spans, each followed by those below it. */
export const inTree = (spans: ReadonlyArray<CollectedSpan>): ReadonlyArray<CollectedSpan> =>
  placed(spans).map(({ span }) => span)

/** The spans as a tree of names, each below its parent and indented by two blanks. */
export const treeOf = (
  spans: ReadonlyArray<CollectedSpan>,
  describe: (span: CollectedSpan) => string = ({ name }) => name
): ReadonlyArray<string> => placed(spans).map(({ depth, span }) => `${"  ".repeat(depth)}${describe(span)}`)
