import type { SqlError } from "@effect/sql/SqlError"
import { ServiceUnavailable } from "../../errors/general.js"

/** What a failure of the store is to an agent. */
export const storeUnavailable = (cause: SqlError): ServiceUnavailable =>
  new ServiceUnavailable({ message: "The gateway's store does not answer", service: "store", cause })
