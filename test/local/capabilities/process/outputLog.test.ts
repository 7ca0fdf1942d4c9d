import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Buffer } from "node:buffer"
import { OutputLog } from "../../../../src/local/capabilities/process/OutputLog.js"
import { runs } from "../../../support/runs.js"

const logOf = (text: string, chunk = 1): OutputLog => {
  const log = new OutputLog()
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += chunk) log.add(bytes.subarray(at, at + chunk))
  return log
}

const characters = FastCheck.array(FastCheck.constantFrom("a", "\n", "ü", "€", "𝄞"), { maxLength: 40 })

describe("what a program wrote", () => {
  it("is whole in parts of any size, by the limit or by what came", () => {
    const property = FastCheck.property(
      characters,
      FastCheck.integer({ min: 1, max: 7 }),
      FastCheck.integer({ min: 1, max: 9 }),
      (parts, chunk, limit) => {
        const text = parts.join("")
        const log = logOf(text, chunk)
        log.close()
        let byLimit = ""
        for (let at = 0; at < log.size(); at += limit) byLimit += log.part(at, limit).text
        assert.strictEqual(byLimit, text)
        let byText = ""
        while (log.part(Buffer.byteLength(byText), limit).isCut) {
          byText += log.part(Buffer.byteLength(byText), limit).text
        }
        byText += log.part(Buffer.byteLength(byText), limit).text
        assert.strictEqual(byText, text)
      }
    )
    FastCheck.assert(property, { numRuns: runs(1000) })
  })

  it("is told up to the last character that has come whole", () => {
    const log = new OutputLog()
    const bytes = Buffer.from("a€")
    log.add(bytes.subarray(0, 3))
    assert.deepStrictEqual([log.size(), log.part(0, undefined)], [1, { text: "a", isCut: false }])
    log.add(bytes.subarray(3))
    assert.deepStrictEqual([log.size(), log.part(0, undefined)], [4, { text: "a€", isCut: false }])
  })

  it("keeps what is no text as what replaces it, and counts all of it", () => {
    const log = new OutputLog()
    log.add(Uint8Array.of(0x61, 0x80, 0x80, 0xff, 0xc3))
    log.close()
    assert.strictEqual(log.size(), 5)
    assert.strictEqual(log.part(0, undefined).text, "a\ufffd\ufffd\ufffd\ufffd")
    assert.strictEqual(log.part(2, 1).text, "\ufffd")
    assert.deepStrictEqual(log.part(0, 0), { text: "", isCut: true })
  })

  it("does not end within a character where more is not kept, nor begin the last lines with half of one", () => {
    const log = logOf(`a${"€".repeat(400_000)}`, 65_536)
    log.close()
    const { text } = log.part(0, undefined)
    assert.match(text, /€\n\[truncated\]$/)
    assert.notInclude(text, "\ufffd")
    assert.notInclude(log.lastLines(1), "\ufffd")
    assert.isAbove(Buffer.byteLength(log.lastLines(1)), 60_000)
    assert.strictEqual(log.size(), 1_200_001)
  })
})
