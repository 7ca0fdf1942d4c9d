/** Whether a header may carry what proves who somebody is, judged by its name. */
export const isCredentialHeader = (name: string): boolean =>
  /auth|cookie|token|secret|session|signature|passw|credential|api-?key|-key$/i.test(name)
