import { Buffer } from "node:buffer"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"

const cipherName = "aes-256-gcm"

const nonceBytes = 12

const tagBytes = 16

/** Encrypts, so that it can only be opened as what it is said to be about: nonce, ciphertext and tag in base64. */
export const seal = (key: Uint8Array, about: string, plain: Uint8Array): string => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(cipherName, key, nonce)
  cipher.setAAD(Buffer.from(about))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("base64")
}

/** What was sealed; undefined where it was sealed with another key or about something else, or is damaged. */
export const unseal = (key: Uint8Array, about: string, text: string): Uint8Array | undefined => {
  const sealed = Buffer.from(text, "base64")
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv(cipherName, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(about))
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plain = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return undefined
  }
}
