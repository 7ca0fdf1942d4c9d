/** What a session has cost so far. */
export interface Usage {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly bytesRead: number
  readonly bytesWritten: number
}

const blockBytes = 512

/**
 * Starts to measure. Handlers share the gateway's process, so the figures are the process's since then: what other sessions
 * did meanwhile is in them too. The memory is what the process holds now.
 */
export const measure = (): () => Usage => {
  const before = process.resourceUsage()
  return () => {
    const now = process.resourceUsage()
    const cpuMicros = now.userCPUTime - before.userCPUTime + (now.systemCPUTime - before.systemCPUTime)
    return {
      cpuMillis: Math.round(cpuMicros / 1000),
      memoryBytes: process.memoryUsage.rss(),
      bytesRead: (now.fsRead - before.fsRead) * blockBytes,
      bytesWritten: (now.fsWrite - before.fsWrite) * blockBytes
    }
  }
}
