import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { until } from "../../support/deadline.js"
import type { TestGateway } from "../../support/gateway.js"
import { at, listAt } from "../../support/json.js"
import { asSupervisor } from "../../support/supervisor.js"

/** How times are written. */
export const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** What a supervisor is shown, which has to be there. */
export const get = (gateway: TestGateway, path: string) =>
  Effect.map(asSupervisor(gateway, path), ({ body, status }) => {
    assert.strictEqual(status, 200, JSON.stringify(body))
    return body
  })

export const post = (gateway: TestGateway, path: string) => asSupervisor(gateway, path, { method: "POST" })

/** What of an agent's is in the activity, once that is as much as expected. */
export const activityOf = (gateway: TestGateway, agent: string, count: number) =>
  Effect.gen(function*() {
    const path = `/activity?agent=${agent}&limit=1000`
    yield* until(
      `${count} entries about ${agent}`,
      Effect.map(get(gateway, path), (body) => at(body, "total") === count)
    )
    return listAt(yield* get(gateway, path), "activity")
  })
