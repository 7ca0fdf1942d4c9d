export * as NodeGateway from "./NodeGateway.js"
