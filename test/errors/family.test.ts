import * as Cause from "effect/Cause"
import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { CapabilityNotFound, FileNotFound, isCapabilityError, isGatewayError } from "../../src/errors/index.js"
import { everyError } from "./everyError.js"

const ofTheConnection = [
  "ConnectionFailed",
  "AuthenticationFailed",
  "SessionExpired",
  "GatewayTimeout",
  "OutcomeUnknown",
  "ProtocolError"
]

describe("the family of errors", () => {
  it.each(everyError.map((error) => [error._tag, error] as const))(
    "%s is of the capability or of the connection",
    (tag, error) => {
      expect(isGatewayError(error)).toBe(ofTheConnection.includes(tag))
      expect(isCapabilityError(error)).toBe(!ofTheConnection.includes(tag))
    }
  )

  it.each([undefined, null, "FileNotFound", new Error("FileNotFound"), { _tag: "FileNotFound", message: "m" }])(
    "has nothing of somebody else's: %s",
    (value) => {
      expect(isCapabilityError(value)).toBe(false)
      expect(isGatewayError(value)).toBe(false)
    }
  )
})

describe("an error for a reader", () => {
  it("says what, which and why", () => {
    const error = new FileNotFound({ message: "There is no file", path: "/workspace/a", cause: new Error("ENOENT") })
    expect(String(error)).toBe("FileNotFound: There is no file")
    const shown = inspect(error)
    expect(shown).toContain("FileNotFound: There is no file")
    expect(shown).toContain("path: '/workspace/a'")
    expect(shown).toContain("ENOENT")
    expect(Cause.pretty(Cause.fail(error))).toContain("FileNotFound: There is no file")
  })

  it("names the capability that there is not", () => {
    const error = new CapabilityNotFound({ message: "There is no capability a.b", requested: "a.b" })
    expect(inspect(error)).toContain("_tag: 'CapabilityNotFound'")
    expect(String(error)).toContain("There is no capability a.b")
  })
})
