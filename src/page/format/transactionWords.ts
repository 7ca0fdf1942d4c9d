import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import type { Tone } from "./eventWords.js"
import { counted } from "./size.js"

const reasons: { readonly [reason: string]: string } = {
  request: "its agent asked for it",
  conflict: "a key of the state had been changed meanwhile",
  timeout: "it took too long",
  approval: "a step was not approved",
  session_end: "its session ended",
  parent_end: "the transaction around it ended",
  gateway_stop: "the gateway stopped"
}

const countOf = (value: unknown): number => typeof value === "number" ? value : 0

/** What a transaction has come to, in words. */
interface Ended {
  readonly tone: Tone
  readonly what: string
  readonly detail: string | undefined
}

/** What the end of a transaction, or of a savepoint, says. */
export const endedWords = (data: SupervisionEvent["data"]): Ended => {
  if (data["outcome"] === "committed") return { tone: "good", what: "committed", detail: undefined }
  const [conflicts, notReversible] = [countOf(data["conflicts"]), countOf(data["not_reversible"])]
  const left = [
    ...(notReversible === 0 ? [] : [`${counted(notReversible, "step")} cannot be undone`]),
    ...(conflicts === 0 ? [] : [counted(conflicts, "conflict")])
  ]
  const reason = data["reason"]
  const because = typeof reason === "string" ? reasons[reason] ?? reason : undefined
  const parts = [...(because === undefined ? [] : [because]), ...left]
  return {
    tone: left.length > 0 ? "bad" : "waiting",
    what: left.length > 0 ? "rolled back in part" : "rolled back",
    detail: parts.length === 0 ? undefined : parts.join(", ")
  }
}
