export * as LocalGateway from "./LocalGateway.js"
