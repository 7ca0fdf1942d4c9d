import { buildPage } from "../../scripts/buildPage.js"

/** Builds the supervisor's page once, before the tests: gateways serve it. */
export default buildPage
