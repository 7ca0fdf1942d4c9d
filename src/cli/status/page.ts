import { oneLine, table } from "../text.js"
import { timeText } from "../timeText.js"
import type { Overview } from "./views.js"

/** What a gateway is, does and lacks, as a page to read. */
export const page = (api: string, { agents, health, status }: Overview): string => {
  const { gateway } = status
  const { active, paused, revoked } = status.agents
  const pending = status.approvals.pending
  const facts = [
    ["Gateway", `${gateway.name} ${gateway.version} at ${api.replace(/\/api$/, "")}`],
    ["Up", `${timeText(gateway.uptime_seconds)}, since ${gateway.started_at}`],
    ["Policy", gateway.policy],
    ["Health", health.status],
    ["Agents", `${active} active, ${paused} paused, ${revoked} revoked`],
    ["Sessions", `${status.sessions.open} open`],
    ["Approvals", pending === 0 ? "nothing waits" : `${pending} wait: \`kruxos approvals list\` shows them`]
  ]
  const components = health.components.map(({ message, name, status }) => [name, status, message ?? ""])
  const present = agents.filter(({ status }) => status !== "revoked").map((agent) => [
    agent.name,
    agent.status,
    String(agent.open_sessions),
    String(agent.pending_approvals),
    agent.last_active_at ?? "-",
    agent.purpose ?? ""
  ])
  return [
    ...table(facts.map(([name, value]) => [`${name}:`, value ?? ""])),
    "",
    ...table([["COMPONENT", "HEALTH", "MESSAGE"], ...components]),
    ...(present.length === 0
      ? []
      : ["", ...table([["AGENT", "STATUS", "SESSIONS", "APPROVALS", "LAST ACTIVE", "PURPOSE"], ...present])])
  ].join("\n")
}

/** What is wrong with a gateway, in one line. */
export const complaint = ({ health }: Overview): string => {
  const troubled = health.components.filter(({ status }) => status !== "healthy")
  const details = troubled.map(({ message, name, status }) => `${name} is ${status}${message ? ` (${message})` : ""}`)
  return oneLine(`The gateway is ${health.status}${details.length === 0 ? "" : `: ${details.join(", ")}`}`)
}
