import { CapabilityUnavailable } from "../../../errors/general.js"

/** What was to be read or written on the gateway's disk could not be. The message shows nothing of the host. */
export const ioError = (message: string, cause: unknown): CapabilityUnavailable =>
  new CapabilityUnavailable({ type: "IoError", reason: "IoError", message, cause })
