import { assert, describe, expect, layer, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import type { AnyCatalogue } from "../../../src/catalogue/Catalogue.js"
import type { FailureRow, Row, Rows } from "./Row.js"
import { Shared, type World } from "./World.js"

const catalogue: AnyCatalogue = builtIn

/** What an invocation that fails in this way has to tell, by the catalogue. */
const check = (name: string, type: string, error: unknown): void => {
  const listed = catalogue[name]?.errors[type]
  if (listed === undefined || !(error instanceof listed.class)) {
    return assert.fail(`${String(error)} is no ${type} as ${name} lists it`)
  }
  assert.deepInclude(error, { type, capability: name })
  assert.deepStrictEqual(error.recovery.map(({ action }) => action), listed.recovery)
}

const failureOf = (row: FailureRow, check: (error: unknown) => void): Row =>
  Object.assign(
    (world: World) =>
      Effect.map(row(world), ({ error, fields }) => {
        check(error)
        expect(error).toMatchObject(fields)
      }),
    { missing: row.missing }
  )

const rowsOf = (name: string, { errors, limits = {}, success }: Rows): ReadonlyArray<readonly [string, Row]> => [
  ["succeeds", success],
  ...Object.entries(errors).flatMap(([type, row]) =>
    row === undefined ? [] : [[`fails with ${type}`, failureOf(row, (error) => check(name, type, error))] as const]
  ),
  ...Object.entries(limits)
]

const later = { timeout: 30_000 }

type Testers = Pick<Vitest.MethodsNonLive<Shared, true>, "scoped">

const runRow = (it: Testers, title: string, row: Row): void => {
  const { missing } = row
  const run = () => Effect.flatMap(Shared, row)
  if (missing === undefined) it.scoped(title, run, later)
  else it.scoped.skip(`${title} (skipped: it needs ${missing})`, run, later)
}

/** Runs the rows of a table over one gateway. */
export const runTable = (table: { readonly [name: string]: Rows | undefined }): void => {
  layer(Shared.layer, { excludeTestServices: true })((it) => {
    for (const [name, rows] of Object.entries(table)) {
      if (rows === undefined) continue
      describe(name, () => {
        for (const [title, row] of rowsOf(name, rows)) runRow(it, title, row)
      })
    }
  })
}

/** Runs rows of errors that are no capability's own, by their tags. */
export const runFailures = (failures: { readonly [tag: string]: FailureRow | undefined }): void => {
  layer(Shared.layer, { excludeTestServices: true })((it) => {
    for (const [tag, row] of Object.entries(failures)) {
      if (row === undefined) continue
      runRow(
        it,
        `any capability can fail with ${tag}`,
        failureOf(row, (error) => assert.propertyVal(error, "_tag", tag))
      )
    }
  })
}
