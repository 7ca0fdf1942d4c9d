export * from "./filesystem.js"
export * from "./gateway.js"
export * from "./general.js"
export { CapabilityFailure, isCapabilityError, isGatewayError, KruxosError } from "./KruxosError.js"
