import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ApprovalState } from "../schema/Approval.js"
import * as Client from "./approvals/client.js"
import { event, jsonLine, jsonOf, jsonOfOne, page, tableOf } from "./approvals/text.js"
import { watch as watching } from "./approvals/watch.js"
import { json } from "./options.js"
import { print, printError, printTable } from "./print.js"
import { find, whichGateway } from "./supervisor/client.js"
import { oneLine } from "./text.js"

const id = Args.text({ name: "id" }).pipe(Args.withDescription("The request, such as apr-0123456789abcdef."))

const asJson = json("Print it as JSON, with nothing cut.")

const list = Command.make("list", {
  status: Options.choice("status", [...ApprovalState.literals, "all"]).pipe(
    Options.withDescription("Those with this status; pending if not given."),
    Options.withDefault("pending")
  ),
  ...whichGateway,
  json: asJson
}, ({ json, status, ...which }) =>
  Effect.gen(function*() {
    const target = yield* find(which)
    const filter = status === "all" ? {} : { status }
    const { approvals, total } = yield* Client.list(target, { ...filter, limit: 1000 })
    if (json) yield* print(jsonOf(approvals))
    else if (total === 0) yield* printError(status === "pending" ? "Nothing waits for approval" : "There are none")
    else yield* printTable(tableOf(approvals))
    if (total > approvals.length) yield* printError(`${total - approvals.length} older ones are not shown`)
  })).pipe(Command.withDescription("List what waits for a decision, or what was decided, the newest first."))

const show = Command.make(
  "show",
  { id, ...whichGateway, json: asJson },
  ({ id, json, ...which }) =>
    Effect.gen(function*() {
      const view = yield* Client.get(yield* find(which), id)
      yield* print(json ? jsonOfOne(view) : page(view))
    })
).pipe(Command.withDescription("Show a request with its arguments."))

const reason = Options.text("reason").pipe(
  Options.withPseudoName("TEXT"),
  Options.withDescription("Why; the agent is told."),
  Options.optional
)

const decision = (verdict: "approve" | "reject", done: string, description: string) =>
  Command.make(
    verdict,
    { id, reason, ...whichGateway, json: asJson },
    ({ id, json, reason, ...which }) =>
      Effect.gen(function*() {
        const view = yield* Client.decide(yield* find(which), id, verdict, Option.getOrUndefined(reason))
        yield* print(json ? jsonOfOne(view) : oneLine(`${view.id}: ${view.capability} of ${view.agent} ${done}`))
      })
  ).pipe(Command.withDescription(description))

const watch = Command.make(
  "watch",
  { ...whichGateway, json: json("Print each as one line of JSON.") },
  ({ json, ...which }) => watching(which, json ? jsonLine : event)
).pipe(Command.withDescription("Print what is asked and what is decided as it comes, until Ctrl-C."))

/** `kruxos approvals` */
export const approvals = Command.make("approvals").pipe(
  Command.withDescription("Decide about what agents may not do without a human."),
  Command.withSubcommands([
    list,
    show,
    decision("approve", "is approved, and runs", "Allow a request: the gateway runs it, with the arguments shown."),
    decision("reject", "is rejected", "Refuse a request."),
    watch
  ])
)
