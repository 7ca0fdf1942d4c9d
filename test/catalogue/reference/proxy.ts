import type { Reference } from "./Documented.js"

/** `proxy.*`, as documented. */
export const proxy: Reference = {
  "proxy.cancel_write": {
    tier: "autonomous",
    version: "1.0",
    tags: "proxy, write",
    inputs: { write_id: "String" },
    outputs: { cancelled: "Boolean", write_id: "String", status: "String" },
    errors: { WriteNotFound: "search", WriteAlreadyExecuted: "check_status" }
  },
  "proxy.list_writes": {
    tier: "autonomous",
    version: "1.0",
    tags: "proxy, read, safe",
    inputs: { status: "String? = \"buffered\"" },
    outputs: { writes: "Array", total: "Integer" },
    errors: { DatabaseError: "retry_later" }
  }
}
