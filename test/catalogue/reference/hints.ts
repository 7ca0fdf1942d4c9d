type Hints = readonly [readOnly: boolean, destructive: boolean, idempotent: boolean, openWorld: boolean]

const reads: Hints = [true, false, true, false]

const readsOutside: Hints = [true, false, true, true]

// Not called safe, so that it is not replayed, and yet without effect.
const looks: Hints = [false, false, true, false]

const undoable: Hints = [false, false, false, false]

const undoableOutside: Hints = [false, false, false, true]

const undoableAndSettled: Hints = [false, false, true, false]

const undoableAndSettledOutside: Hints = [false, false, true, true]

const final: Hints = [false, true, false, false]

const finalOutside: Hints = [false, true, false, true]

const finalAndSettled: Hints = [false, true, true, false]

const finalAndSettledOutside: Hints = [false, true, true, true]

/**
 * What a client of MCP should be told of each capability. Undoable: what it does can be undone. Final: nothing undoes it.
 * Settled: a second call changes nothing more. Outside: it reaches beyond the machine.
 */
export const hints: { readonly [name: string]: Hints } = {
  "agent.capabilities": reads,
  "agent.policy": reads,
  "agent.session": reads,
  "agent.whoami": reads,
  "alerts.acknowledge": finalAndSettled,
  "alerts.list": reads,
  "alerts.send": final,
  "comms.broadcast": final,
  // What was received is acknowledged, and the next call gives what comes after it.
  "comms.receive": final,
  "comms.send": final,
  "comms.subscribe": undoable,
  "email.bulk_delete": finalOutside,
  "email.delete": finalOutside,
  "email.draft": undoableOutside,
  "email.move": finalOutside,
  // Its side effect fills a cache.
  "email.read": readsOutside,
  "email.search": readsOutside,
  "email.send": finalOutside,
  "filesystem.append": final,
  "filesystem.copy": undoableAndSettled,
  "filesystem.delete": finalAndSettled,
  "filesystem.edit": undoable,
  "filesystem.list": reads,
  "filesystem.move": undoableAndSettled,
  "filesystem.read": reads,
  "filesystem.restore": undoableAndSettled,
  "filesystem.search": reads,
  "filesystem.search_content": looks,
  "filesystem.stat": reads,
  "filesystem.watch": undoable,
  "filesystem.write": undoableAndSettled,
  // A second time the branch is there, is gone, or is the current one.
  "git.branch": undoableAndSettled,
  // A second time there is something at the path.
  "git.clone": undoableAndSettledOutside,
  // A second time there is nothing left to commit.
  "git.commit": undoableAndSettled,
  "git.diff": reads,
  "git.init": undoableAndSettled,
  "git.log": reads,
  "git.pull": undoableAndSettledOutside,
  "git.push": finalAndSettledOutside,
  "git.status": reads,
  // No side effect is documented, but it may be a DELETE.
  "network.credentialed_request": finalOutside,
  "network.dns_lookup": readsOutside,
  "network.download": undoableAndSettledOutside,
  "network.http_request": finalOutside,
  "network.port_check": readsOutside,
  "process.kill": final,
  "process.list": looks,
  "process.logs": looks,
  "process.monitor": looks,
  "process.run": final,
  // It never reaches the service, and what is cancelled stays so.
  "proxy.cancel_write": finalAndSettled,
  "proxy.list_writes": reads,
  "scheduler.cron_create": undoable,
  "scheduler.cron_delete": finalAndSettled,
  "scheduler.cron_list": reads,
  "scheduler.delay": undoable,
  "secrets.list": reads,
  // Each request goes to the supervisor.
  "secrets.rotate_request": final,
  // Each use is audited.
  "secrets.use": final,
  "slack.channels": readsOutside,
  "slack.react": undoableAndSettledOutside,
  "slack.read": readsOutside,
  "slack.remove_react": undoableAndSettledOutside,
  "slack.reply": undoableOutside,
  "slack.search": readsOutside,
  "slack.send": undoableOutside,
  "state.backup.create": final,
  "state.backup.export": final,
  "state.backup.list": reads,
  "state.backup.restore": final,
  "state.briefing.generate": reads,
  "state.persistent.delete": finalAndSettled,
  "state.persistent.get": reads,
  "state.persistent.history": reads,
  "state.persistent.list": reads,
  "state.persistent.query": reads,
  // The same value again is a new version, and the oldest of a hundred goes.
  "state.persistent.set": final,
  "state.session.clear": finalAndSettled,
  "state.session.delete": finalAndSettled,
  "state.session.get": reads,
  "state.session.list": reads,
  "state.session.set": finalAndSettled,
  "state.shared.delete": finalAndSettled,
  "state.shared.get": reads,
  "state.shared.list": reads,
  // A second time the version is another one.
  "state.shared.set": finalAndSettled,
  "state.shared.watch": final,
  "state.snapshot.create": final,
  "state.snapshot.list": reads,
  "state.snapshot.load": reads,
  "system.health": reads,
  "system.info": reads,
  "system.metrics": reads,
  "system.time": reads
}
