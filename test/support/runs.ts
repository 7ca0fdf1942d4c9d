/**
 * The number of runs of a property test: all of them in `npm run test:full`, a tenth (at least one) in `npm test`.
 */
export const runs = (full: number): number =>
  process.env["KRUXOS_TEST"] === "full" ? full : Math.max(1, Math.round(full / 10))

/** Parameters for `FastCheck.assert`: the number of runs, and the seed that vitest printed at its start. */
export const parameters = (full: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: runs(full),
  seed: Number(process.env["KRUXOS_TEST_SEED"] ?? 1)
})
