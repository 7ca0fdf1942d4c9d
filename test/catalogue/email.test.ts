import { expect, it } from "vitest"
import * as email from "../../src/catalogue/email.js"
import { describeCategory } from "./categorySuite.js"
import { email as reference } from "./reference/email.js"
import { email as samples } from "./samples/email.js"
import { thereAndBack } from "./values.js"

describeCategory("email", {
  reference,
  samples,
  wrong: {
    "email.search": { input: { limit: 101 }, output: { messages: [{ id: "18c2f0a91b" }] } },
    "email.read": { output: { body: { message_id: "1", text_plain: 7, text_html: null, cached_at: "2025-01-31" } } },
    "email.send": { input: { to: ["ada@example.org"] }, output: { buffer_until: "soon" } },
    "email.delete": { input: { message_id: 17 } },
    "email.move": { input: { add_labels: "Paid" } },
    "email.draft": { output: { draft_id: null } },
    "email.bulk_delete": { input: { message_ids: "18c2f0a91b" }, output: { error: null } }
  },
  newer: {
    "email.send": { status: "held" },
    "email.delete": { status: "held" },
    "email.move": { status: "held" }
  }
})

it.each([
  [email.search, "limit", 0],
  [email.search, "limit", 20.5],
  [email.search, "offset", -1]
])("email.search takes no more and no less than its limits", (capability, name, value) => {
  expect(() => thereAndBack(capability.inputSchema, { [name]: value })).toThrow(name)
})

it("email.read reads a body that has one text alone", () => {
  const { message } = samples["email.read"].output
  const output = { message, body: { message_id: "1", text_html: "<p>Hi</p>", cached_at: "2025-01-31T08:01:00.000Z" } }
  expect(thereAndBack(email.read.outputSchema, output)).toEqual(output)
})
